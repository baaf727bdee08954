"""How far a training run is, how fast it goes, what it waits for, and how long it will take and what that costs.

Told to a callback, never printed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

SHOW_SECONDS = 0.1  # told no more often than this between epochs
SMOOTH = 0.8  # weight of the past in the rate; one slow step must not shake the estimate


@dataclass(frozen=True)
class Progress:
    """epoch, step: how many are done, of how many (None: not known). rate: optimizer steps per second, of late.

    seconds: since the first step; remaining: None while it is not known, and as validation is in it, an estimate.
    data_share: of the time, 0..1, that training waited for batches. numbers: the last of each that was logged.
    findings: names of what the rules have found so far.
    """

    epoch: int
    epochs: int
    step: int
    steps: int | None
    rate: float
    remaining: float | None
    numbers: Mapping[str, float]
    seconds: float = 0.0
    data_share: float = 0.0
    findings: tuple[str, ...] = ()

    def cost(self, price_per_hour: float) -> tuple[float, float | None]:
        """What was spent, and what all of it will have cost (None: not known), in the unit of the price."""
        spent = self.seconds / 3600 * price_per_hour
        return spent, None if self.remaining is None else spent + self.remaining / 3600 * price_per_hour


ReportProgress = Callable[[Progress], object]


@dataclass
class Meter:
    """Turns steps and logged numbers into Progress. steps_per_epoch: None where the loader does not say."""

    epochs: int
    steps_per_epoch: int | None
    report: ReportProgress | None
    epoch: int = 0
    findings: tuple[str, ...] = ()
    _step: int = 0
    _rate: float = 0.0
    _waited: float = 0.0
    _waited_before: float = 0.0
    _began: float | None = None
    _told: tuple[int, float] | None = None  # the step and the time it was told last
    _numbers: dict[str, float] = field(default_factory=dict)

    def step(self, done: int, waited: float = 0.0) -> None:
        """`done` optimizer steps are done; batches were waited for `waited` seconds in all."""
        self._step, self._waited = done, waited
        now = perf_counter()
        if self._told is None or self._began is None:
            self._began, self._waited_before, self._told = now, waited, (done, now)
        elif now - self._told[1] >= SHOW_SECONDS:
            latest = (done - self._told[0]) / (now - self._told[1])
            self._rate = SMOOTH * self._rate + (1 - SMOOTH) * latest if self._rate else latest
            self._told = (done, now)
            self._tell(now)

    def logged(self, **numbers: float) -> None:
        """An epoch has ended, and these are its numbers."""
        self.epoch = int(numbers.get("epoch", self.epoch)) + 1
        self._numbers.update({name: float(value) for name, value in numbers.items()})
        self._tell(perf_counter())

    def _tell(self, now: float) -> None:
        if self.report is None:
            return
        steps = None if self.steps_per_epoch is None else self.epochs * self.steps_per_epoch
        left = None if steps is None or not self._rate else max(0, steps - self._step) / self._rate
        seconds = 0.0 if self._began is None else now - self._began
        share = min(1.0, (self._waited - self._waited_before) / seconds) if seconds else 0.0
        told = (self.epoch, self.epochs, self._step, steps, self._rate, left, dict(self._numbers), seconds, share)
        self.report(Progress(*told, self.findings))
