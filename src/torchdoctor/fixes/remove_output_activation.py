"""Take away the last activation, for a loss that applies it itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "return self.head(x)          # raw scores: no softmax or sigmoid, the loss applies it itself\n"
        "probabilities = scores.softmax(1)   # where you need probabilities, outside the loss"
    )


def patch(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {"model.output": "none"}


@fix(code=code, patch=patch)
def remove_output_activation(parts: Parts) -> Parts:
    """Remove the model's last activation, be it a module or a function call in forward().

    For a softmax or sigmoid before a loss that applies it itself, or a ReLU on class scores.
    Raises BadParts when the output does not come out of an activation.
    """
    from torchdoctor.fixes.output import with_output
    from torchdoctor.fixes.surgery import first_batch, operated

    batch = first_batch(parts)
    return operated(parts, lambda model: with_output(model, batch))
