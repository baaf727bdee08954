"""What a recipe says of its learning rate's way through training.

May not: import torch.
"""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat

from torchdoctor.recipe.choice import ScheduleName
from torchdoctor.recipe.section import Args, Section


class Schedule(Section):
    """How the learning rate changes on its way."""

    name: ScheduleName = "none"
    """A schedule, or the import path of one. Cosine and one-cycle end with the run; the peak of one-cycle is the
    optimizer's lr; plateau goes by train.monitor, default the validation loss."""
    per: Literal["epoch", "step"] | None = None
    """What it counts, and is stepped after; null is what the schedule needs: steps for one-cycle, else epochs."""
    warmup: NonNegativeFloat = 0.0
    """Epochs, or a fraction of one, in which the rate also rises from a hundredth of itself, step by step."""
    args: Args = {}
    """Further arguments of the schedule, as torch calls them."""
