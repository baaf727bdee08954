"""Give a single output unit the sigmoid, where a softmax over one unit says 1 whatever it is fed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "return torch.sigmoid(self.head(x))                # one unit: softmax over it is always 1\n"
        "# better still: return self.head(x), and train with nn.BCEWithLogitsLoss()"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"model.output": "sigmoid"}


@fix(code=code, patch=patch)
def use_sigmoid_output(parts: Parts) -> Parts:
    """Put a sigmoid in the place of the last activation.

    For one output unit, or several that do not exclude each other. Raises BadParts when the output does not come out
    of an activation.
    """
    from torch import nn

    from torchdoctor.fixes.output import with_output
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    return operated(parts, lambda model: with_output(model, batch, nn.Sigmoid()))
