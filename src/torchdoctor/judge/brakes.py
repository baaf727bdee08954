"""What the same steps do with one brake taken off: what the rules on dropout and weight decay share.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torchdoctor.judge.trace import Trace

LEARNT = 0.5  # of the first loss: without the brake the steps should get below ...
BEGUN = 0.8  # ... and must get below this, or they say nothing of it
OUTDONE = 0.7  # of the best validation loss: a short race that gets there without brakes has beaten the whole run
SLOWED = 0.8  # of the way: a brake that leaves more than this is not what the run was beaten for


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


def outdone(trace: Trace, without: str) -> tuple[float, float] | None:
    """(loss of batches that a few hundred steps without any brake had kept back, best validation loss of the whole run)
    where the first is far lower and this brake slows the same steps; else None. On unseen data a brake that suits
    helps, so that one by which they are worse is too strong, however slowly it works."""
    found, run = freed(trace, without), trace["val_loss"].finite()
    raced = trace.data.get("raced_unseen_loss", {}).get("as planned")
    if found is None or not found.share < SLOWED or raced is None or not len(raced) or not len(run):
        return None
    unseen, best = raced.last, float(run.values.min())
    return (unseen, best) if 0 <= unseen < OUTDONE * best else None
