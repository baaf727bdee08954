"""What the probes found out about a model's outputs and its loss, read once for the rules that share it.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torchdoctor.judge.trace import Trace

BOTTOMLESS = 0.05  # of the free loss, by which the walk to the best constant may end below it
EXACT = 1e-3  # float32 sums of probabilities miss 1 by less


@dataclass(frozen=True)
class Outputs:
    """low, high: the least and most an output can be, whatever the weights. clipped: share of outputs exactly there.

    attainable: the lowest loss behind the last weights; free: with nothing in the way; prior: of the best constant;
    start: of the untrained model.
    All may be NaN where it is not known.
    """

    low: float
    high: float
    clipped: float
    row_sum_spread: float
    log_sum: float
    attainable: float
    free: float
    prior: float
    start: float
    compares_classes: bool  # the loss looks at all classes of a row together

    @classmethod
    def of(cls, trace: Trace) -> Outputs:
        def value(name: str) -> float:
            found = trace.value(name)
            return math.nan if found is None else found

        return cls(
            value("reachable_min"), value("reachable_max"), value("reachable_clipped_share"),
            value("reachable_row_sum_spread"), value("reachable_log_sum"),
            value("attainable_loss"), value("free_loss"), value("prior_loss"), value("start_loss"),
            value("loss_compares_classes") == 1,
        )  # fmt: skip

    @property
    def constant(self) -> bool:
        """No weights can change the outputs."""
        return self.low == self.high

    @property
    def within_unit(self) -> bool:
        """All between 0 and 1."""
        return self.low >= -EXACT and self.high <= 1 + EXACT

    @property
    def probabilities(self) -> bool:
        """Between 0 and 1, with rows that always sum to the same: a softmax stands behind the last weights."""
        return self.within_unit and self.row_sum_spread <= EXACT

    @property
    def log_probabilities(self) -> bool:
        return self.log_sum <= EXACT

    @property
    def bounded(self) -> bool:
        """On both sides."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def lost(self) -> float:
        """Share of the way from the best constant prediction down to the free loss that cannot be gone. From the start
        where a constant is as good as anything (one sample, one class, constant targets); NaN where no way is known or
        the loss has no bottom."""
        # A loss that is never negative within the outputs' range and is beyond it (a ratio whose denominator changes
        # sign) was not made for what lies beyond.
        free = max(self.free, 0.0) if self.attainable >= 0 else self.free
        if self.prior < free - BOTTOMLESS * abs(free):
            return math.nan  # a constant is one of the free outputs: both walks only ran as far as they had steps
        for begin in (self.prior, self.start):
            if begin - free > EXACT * abs(begin):
                return (self.attainable - free) / (begin - free)
        return math.nan

    def evidence(self) -> dict[str, float | str]:
        """The known numbers, by name."""
        named = {
            "attainable_loss": self.attainable, "free_loss": self.free, "prior_loss": self.prior, "lost": self.lost,
            "reachable_min": self.low, "reachable_max": self.high,
        }  # fmt: skip
        return {name: value for name, value in named.items() if not math.isnan(value)}


def place(trace: Trace) -> tuple[str, ...]:
    """Where the answer is made: the last module behind the last weights, if there is one, and the layer that has them.
    Empty where no probe has looked."""
    found = trace.facts.get("answer", {})
    return (*found.get("behind", [])[-1:], *found.get("weights", []))
