"""The schedule of a recipe: torch's own, with the warm-up before it."""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LinearLR

from torchdoctor.errors import BadRecipe
from torchdoctor.recipe.imports import called, imported
from torchdoctor.recipe.names import SCHEDULES
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.monitor import plateau_mode
from torchdoctor.train.schedule import Schedules, misfit

WARM_FROM = 0.01  # of the rate, where a warm-up begins


def made_scheduler(recipe: Recipe, optimizer: Optimizer, batches: int | None) -> Schedules | None:
    """batches: in an epoch, None where the loader does not say. Raises BadRecipe for a schedule that does not fit the
    run."""
    asked, epochs = recipe.schedule, recipe.train.epochs
    if asked.name == "none" and not asked.warmup:
        return None
    by_steps = asked.per == "step" or (asked.per is None and asked.name == "one-cycle")
    steps = None if batches is None else -(-batches // recipe.train.accumulate)
    if steps is None and (by_steps or asked.warmup):
        raise BadRecipe(
            "schedule counts steps, and the loader has no length. Use schedule.per=epoch without a warm-up."
        )
    if asked.name == "plateau" and by_steps:
        raise BadRecipe("schedule.per = 'step': plateau goes by a number that is there once an epoch. Leave it out.")
    if asked.name == "one-cycle" and (asked.warmup or not by_steps):
        raise BadRecipe(
            "schedule.name = 'one-cycle' counts steps and has a warm-up of its own: schedule.args.pct_start."
        )
    main = [_made(recipe, optimizer, epochs * (steps or 0) if by_steps else epochs)] if asked.name != "none" else []
    warm = []
    if asked.warmup:
        warm = [LinearLR(optimizer, WARM_FROM, total_iters=max(1, round(asked.warmup * (steps or 0))))]
    made = Schedules(optimizer, [*warm, *main] if by_steps else warm, [] if by_steps else main)
    if said := misfit(made, epochs, steps):
        raise BadRecipe(f"schedule.args: {said}")
    return made


def _made(recipe: Recipe, optimizer: Optimizer, ticks: int) -> Any:
    """ticks: how often it will be stepped."""
    first, per_epoch = optimizer.param_groups[0], recipe.train.epochs / ticks
    usual: dict[str, dict[str, Any]] = {
        "step": {"step_size": max(1, ticks // 3)},
        "exponential": {"gamma": 0.95**per_epoch},
        "cosine": {"T_max": ticks},
        "one-cycle": {
            "max_lr": recipe.optimizer.lr,
            "total_steps": ticks,
            "cycle_momentum": bool(first.get("momentum") or first.get("betas")),
        },
        "plateau": {"mode": plateau_mode(recipe.train.monitor), "patience": max(1, min(10, ticks // 4))},
    }
    function = imported(recipe.schedule.name, SCHEDULES, "schedule.name")
    return called(function, "schedule.args", recipe.schedule.args, optimizer, offered=usual.get(recipe.schedule.name))
