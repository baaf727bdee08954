"""What a recipe says of its learning rate's way through training.

May not: import torch.
"""

from __future__ import annotations

from torchdoctor.recipe.choice import ScheduleName
from torchdoctor.recipe.section import Args, Section


class Schedule(Section):
    """How the learning rate changes from epoch to epoch."""

    name: ScheduleName = "none"
    """A schedule, or the import path of one, stepped once an epoch. Cosine ends with the last epoch."""
    args: Args = {}
    """Further arguments of the schedule."""
