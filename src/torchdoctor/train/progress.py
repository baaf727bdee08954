"""How far a training run is, how fast it goes, and how long it will take. Told to a callback, never printed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter

SHOW_SECONDS = 0.1  # told no more often than this between epochs
SMOOTH = 0.8  # weight of the past in the rate; one slow step must not shake the estimate


@dataclass(frozen=True)
class Progress:
    """epoch, step: how many are done, of how many (None: not known). rate: optimizer steps per second.

    remaining: seconds, None while it is not known. numbers: the last of each that was logged.
    """

    epoch: int
    epochs: int
    step: int
    steps: int | None
    rate: float
    remaining: float | None
    numbers: Mapping[str, float]


ReportProgress = Callable[[Progress], object]


@dataclass
class Meter:
    """Turns steps and logged numbers into Progress. steps_per_epoch: None where the loader does not say."""

    epochs: int
    steps_per_epoch: int | None
    report: ReportProgress | None
    _epoch: int = 0
    _step: int = 0
    _rate: float = 0.0
    _told: tuple[int, float] | None = None  # the step and the time it was told last
    _numbers: dict[str, float] = field(default_factory=dict)

    def step(self, done: int) -> None:
        """`done` optimizer steps are done."""
        self._step = done
        now = perf_counter()
        if self._told is None:
            self._told = (done, now)
        elif now - self._told[1] >= SHOW_SECONDS:
            latest = (done - self._told[0]) / (now - self._told[1])
            self._rate = SMOOTH * self._rate + (1 - SMOOTH) * latest if self._rate else latest
            self._told = (done, now)
            self._tell()

    def logged(self, **numbers: float) -> None:
        """An epoch has ended, and these are its numbers."""
        self._epoch = int(numbers.get("epoch", self._epoch)) + 1
        self._numbers.update({name: float(value) for name, value in numbers.items()})
        self._tell()

    def _tell(self) -> None:
        if self.report is not None:
            steps = None if self.steps_per_epoch is None else self.epochs * self.steps_per_epoch
            left = None if steps is None or not self._rate else max(0, steps - self._step) / self._rate
            told = (self._epoch, self.epochs, self._step, steps, self._rate, left)
            self.report(Progress(*told, dict(self._numbers)))
