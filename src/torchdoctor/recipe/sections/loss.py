"""What a recipe says of its loss.

May not: import torch.
"""

from __future__ import annotations

from torchdoctor.recipe.choice import LossName
from torchdoctor.recipe.section import Args, Section


class Loss(Section):
    """What is minimised."""

    name: LossName = "cross-entropy"
    """A loss, or the import path of yours: a class, made once with args, or a function of (output, target)."""
    args: Args = {}
    """Further arguments of the loss."""
