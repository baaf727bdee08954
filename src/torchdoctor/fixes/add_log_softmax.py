"""Give a loss that expects log-probabilities what it expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "return self.head(x).log_softmax(1)   # NLLLoss expects log-probabilities\n"
        "# or: loss_fn = nn.CrossEntropyLoss(), which takes raw scores"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"model.output": "log-softmax"}


@fix(code=code, patch=patch)
def add_log_softmax(parts: Parts) -> Parts:
    """Put a log-softmax over the classes (dimension 1) behind the model, for NLLLoss fed raw scores."""
    from torch import nn

    from torchdoctor.fixes.wrapping import Around

    return parts.with_model(Around(parts.model, after=nn.LogSoftmax(1)))
