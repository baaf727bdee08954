"""What a recipe says of its loss.

May not: import torch.
"""

from __future__ import annotations

from pydantic import NonNegativeFloat, PositiveFloat

from torchdoctor.recipe.choice import LossName
from torchdoctor.recipe.section import Args, Section


class Loss(Section):
    """What is minimised."""

    name: LossName = "cross-entropy"
    """A loss, or the import path of yours: a class, made once with args, or a function of (output, target)."""
    args: Args = {}
    """Further arguments of the loss, such as label_smoothing of cross-entropy or gamma of focal."""
    also: dict[LossName, PositiveFloat] = {}
    """Further losses of the same output, each with its weight beside the first one's 1, as {dice: 0.5}. The run says
    what share of the sum each is."""
    also_args: dict[LossName, Args] = {}
    """Arguments of those, by name."""
    l1: NonNegativeFloat = 0.0
    """Times the sum of all weights' absolute values, added while training (not of biases and normalisation)."""
    l2: NonNegativeFloat = 0.0
    """Times the sum of their squares. For adam and its kin optimizer.weight_decay of adamw is usually better."""
