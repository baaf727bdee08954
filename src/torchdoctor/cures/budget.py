"""What a cure may cost: in multiples of one training run, in time, or in trials.

Runs are counted by the samples drawn: not by the clock, so that a cure does the same on a busy machine, and not by the
batches, which a remedy may cut smaller at the same work. Only a budget given in time looks at the clock. A remedy that
makes the network itself larger is paid as any other.
May not: train, print.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field

from torchdoctor.cures.progress import Unit
from torchdoctor.errors import BadParts

_SECONDS = {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
LOOK = 0.2  # share of a budget in time
_SLACK = 0.01  # runs; a hundredth too much is no reason to leave a race out


@dataclass(frozen=True)
class Budget:
    """amount: training runs on top of the first, unchanged one; or seconds in all; or trainings, long or short."""

    amount: float
    unit: Unit = "runs"

    @classmethod
    def parse(cls, text: str | float) -> Budget:
        """ "3x" or 3 (runs), "10min", "90s", "1.5h", "20 trials". Raises BadParts for anything else."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text).lower())
        number, unit = (float(match[1]), match[2]) if match else (0.0, "")
        if number > 0 and unit in ("", "x", "run", "runs"):
            return cls(number)
        if number > 0 and unit in _SECONDS:
            return cls(number * _SECONDS[unit], "seconds")
        if number >= 1 and unit in ("trial", "trials"):
            return cls(number, "trials")
        raise BadParts(
            f"A budget of {text!r} cannot be read. Write '3x' (training runs), '10min', '90s', '2h' or '20 trials'."
        )


@dataclass
class Purse:
    """What of a budget is spent. run_seconds: what one training run takes, 0 until the first has been made. earlier:
    seconds that a cure which is resumed had spent on what need not be run again."""

    budget: Budget
    run_seconds: float = 0.0
    runs: float = 0.0
    trials: int = 0
    earlier: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def pay(self, runs: float) -> None:
        """One training of that length."""
        self.runs += runs
        self.trials += 1

    def at_most(self, seconds: float) -> float:
        """Of a budget in time a look that trains nothing takes no more than a fifth."""
        return min(seconds, LOOK * self.budget.amount) if self.budget.unit == "seconds" else seconds

    def affords(self, runs: float, trials: int = 1) -> bool:
        """Whether that many trainings of that length together fit in."""
        if self.budget.unit == "trials":
            return self.trials + trials <= self.budget.amount
        return runs <= self.left + _SLACK

    @property
    def left(self) -> float:
        """How many training runs can still be paid; infinite for a budget in trials."""
        if self.budget.unit == "trials":
            return math.inf
        if self.budget.unit == "runs":
            return max(0.0, self.budget.amount - self.runs)
        return max(0.0, self.budget.amount - self.elapsed) / max(self.run_seconds, 1e-9)

    def standing(self, under_way: float = 0.0) -> tuple[float, float, float | None]:
        """Done, total, and the seconds left at most. under_way: runs that are spent but not yet paid for."""
        if self.budget.unit == "trials":
            return self.trials, self.budget.amount, None
        if self.budget.unit == "seconds":
            return self.elapsed, self.budget.amount, max(0.0, self.budget.amount - self.elapsed)
        first = 1.0 if self.run_seconds else 0.0
        eta = max(0.0, self.left - under_way) * self.run_seconds if self.run_seconds else None
        return first + self.runs + under_way, 1.0 + self.budget.amount, eta

    @property
    def elapsed(self) -> float:
        """Seconds since the cure began."""
        return self.earlier + time.monotonic() - self.began
