"""Learning-rate schedules of torch, each stepped when it needs to be: after every step, or after every epoch.

    schedules = Schedules(optimizer, by_step=[LinearLR(...)], by_epoch=[CosineAnnealingLR(...)])

torch's schedules multiply the rate that is there, so that a warm-up by steps and a schedule by epochs go together.
May not: train, choose a schedule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import CyclicLR, OneCycleLR, ReduceLROnPlateau

LENGTHS = ("total_steps", "T_max", "total_iters", "step_size", "milestones", "patience")  # as torch's schedules call it


class Schedules:
    """The schedules of one optimizer. by_step are stepped after each optimizer step, by_epoch after each epoch."""

    def __init__(self, optimizer: Optimizer, by_step: Sequence[Any] = (), by_epoch: Sequence[Any] = ()) -> None:
        self.optimizer = optimizer
        self._schedulers = [*by_step, *by_epoch]  # the name torch's own composites use: what copies those copies this
        self._by_step = len(by_step)

    @property
    def by_step(self) -> Sequence[Any]:
        return self._schedulers[: self._by_step]

    @property
    def by_epoch(self) -> Sequence[Any]:
        return self._schedulers[self._by_step :]

    def after_step(self) -> None:
        for scheduler in self.by_step:
            vars(self.optimizer)["_opt_called"] = True  # a GradScaler may have left the step out, and torch would warn
            scheduler.step()

    def after_epoch(self, number: float) -> None:
        """number: what a plateau is looked for in."""
        for scheduler in self.by_epoch:
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(number)
            else:
                scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        return {"schedules": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError when it is of other schedules."""
        if len(state["schedules"]) != len(self._schedulers):
            raise ValueError(f"it has {len(state['schedules'])} schedules, and here are {len(self._schedulers)}")
        for scheduler, saved in zip(self._schedulers, state["schedules"]):
            scheduler.load_state_dict(saved)


def schedules_of(scheduler: Any, optimizer: Optimizer) -> Schedules:
    """What Parts hold as their scheduler. Of one alone: OneCycleLR and CyclicLR count steps, all others epochs."""
    if isinstance(scheduler, Schedules):
        return scheduler
    if scheduler is None:
        return Schedules(optimizer)
    by_step = isinstance(scheduler, (OneCycleLR, CyclicLR))
    return Schedules(optimizer, *([scheduler], []) if by_step else ([], [scheduler]))


def plateaus(schedules: Schedules) -> dict[str, str]:
    """{class: mode} of the schedules that are told a number."""
    return {type(s).__name__: s.mode for s in schedules.by_epoch if isinstance(s, ReduceLROnPlateau)}


def misfit(schedules: Schedules, epochs: int, steps_per_epoch: int | None) -> str | None:
    """One sentence on a schedule that is longer than the run, or that ends before the run and then cannot go on."""
    steps = None if steps_per_epoch is None else epochs * steps_per_epoch
    for unit, run, some in (("steps", steps, schedules.by_step), ("epochs", epochs, schedules.by_epoch)):
        for scheduler in some:
            kind = type(scheduler).__name__
            if run is None:
                continue
            for name, length in lengths(scheduler).items():
                if length > run:
                    return (
                        f"{kind} is longer than the run: {name} is {length} {unit}, and the run has {run}. "
                        f"Set {name} to at most {run}, or train longer."
                    )
                if name == "total_steps" and length < run:
                    return f"{kind} ends after {length} {unit}, and the run has {run}. Set {name} to {run}."
    return None


def lengths(scheduler: Any) -> dict[str, int]:
    """The settings of one schedule that say how long something lasts, in its own unit."""
    found: dict[str, int] = {}
    for name in LENGTHS:
        value = getattr(scheduler, name, None)
        if isinstance(value, Mapping):  # MultiStepLR counts its milestones
            value = max(value, default=None)
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
    return found


def all_lengths(schedules: Schedules) -> list[dict[str, int]]:
    """The lengths of every schedule, in order."""
    return [lengths(scheduler) for scheduler in (*schedules.by_step, *schedules.by_epoch)]
