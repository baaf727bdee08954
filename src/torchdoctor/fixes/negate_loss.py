"""Turn a score that was to be made large into a loss."""

from __future__ import annotations

from dataclasses import replace

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return "return -score   # training makes the loss small: give it the negative of what shall be large"


@fix(code=code)
def negate_loss(parts: Parts) -> Parts:
    """Train on the negative of the loss. For a likelihood without its minus, or a similarity used as a loss."""
    from torchdoctor.fixes.wrapping import NegatedLoss

    return replace(parts, loss_fn=NegatedLoss(parts.loss_fn))
