"""The schedule of a recipe."""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer

from torchdoctor.recipe.imports import called, imported
from torchdoctor.recipe.names import SCHEDULES
from torchdoctor.recipe.schema import Recipe


def made_scheduler(recipe: Recipe, optimizer: Optimizer) -> Any:
    asked = recipe.schedule
    if asked.name == "none":
        return None
    function = imported(asked.name, SCHEDULES, "schedule.name")
    usual: dict[str, dict[str, Any]] = {
        "step": {"step_size": max(1, recipe.train.epochs // 3)},
        "exponential": {"gamma": 0.95},
        "cosine": {"T_max": recipe.train.epochs},
    }
    return called(function, "schedule.args", asked.args, optimizer, offered=usual.get(asked.name))
