"""Let the output reach every number a target can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "return self.head(x)   # a linear output: no sigmoid, tanh, softmax or ReLU behind the last layer"


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"model.output": "none"}


@fix(code=code, patch=patch)
def use_linear_output(parts: Parts) -> Parts:
    """Remove the bounded last activation (sigmoid, tanh, softmax, ReLU) of a model whose targets are not bounded.

    Raises BadParts when the output does not come out of an activation.
    """
    from torchdoctor.fixes.output import with_output
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    return operated(parts, lambda model: with_output(model, batch))
