"""What the same steps do with one brake taken off: what the rules on dropout and weight decay share.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torchdoctor.judge.trace import Trace

LEARNT = 0.5  # of the first loss: without the brake the steps should get below ...
BEGUN = 0.8  # ... and must get below this, or they say nothing of it


@dataclass(frozen=True)
class Freed:
    """first: loss before the steps. planned, free: after them, as planned and without the brake. steps: how many.

    share: of the way that the steps go without the brake, how much they go with it; 1 when it does not matter.
    """

    first: float
    planned: float
    free: float
    steps: int

    @property
    def share(self) -> float:
        return (self.first - self.planned) / (self.first - self.free)

    def below(self, share: float) -> bool:
        """Where the steps were too few to learn without the brake, less than half of `share` counts only."""
        return self.share < (share if self.free < LEARNT * self.first else share / 2)


def freed(trace: Trace, without: str) -> Freed | None:
    """without: as the probe names the run. None when there was none, or when it did not learn either."""
    runs = {s: series for s, series in trace.each("brakeless_loss") if len(series) > 1}
    planned, free = runs.get("as planned"), runs.get(without)
    if planned is None or free is None or not math.isfinite(planned.first + planned.last + free.last):
        return None
    if not 0 <= free.last < BEGUN * planned.first:
        return None
    return Freed(planned.first, planned.last, free.last, int(planned.steps[-1]))
