"""Short races of a network as planned against the same with one thing changed: what the rules on them share.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torchdoctor.judge.trace import Trace

LEARNT = 0.3  # of the first loss
PLANNED, RATES = "as planned", ("as planned", "rate x10", "rate x0.1")


@dataclass(frozen=True)
class Race:
    """first, last: loss of the batches trained on, before and after. unseen: of batches kept back, after; NaN where
    there were none. way: share of `first` that was gone, infinite losses counted as nothing."""

    first: float
    last: float
    unseen: float

    @property
    def way(self) -> float:
        """At least 0: where a run that went up ended says nothing more."""
        return max(0.0, 1 - self.last / self.first) if self.first > 0 and math.isfinite(self.last) else 0.0

    def outruns(self, other: Race, times: float) -> bool:
        """Its way is so many times the other's, and its loss on batches kept back is not the higher one."""
        return self.way >= times * other.way and not self.unseen > other.unseen

    def beats(self, other: Race, by: float) -> bool:
        """Its loss is below `by` times the other's on the batches trained on, and lower by at least a third as much on
        those kept back, where there are any: a few hundred steps see few samples, and learn more of them than of
        others."""
        unseen = math.isnan(self.unseen) or math.isnan(other.unseen) or self.unseen < (2 + by) / 3 * other.unseen
        return self.last < by * other.last and unseen


@dataclass(frozen=True)
class Races:
    """runs: by what was changed. steps: of the run as planned."""

    runs: Mapping[str, Race]
    steps: int

    @classmethod
    def of(cls, trace: Trace) -> Races:
        runs = {}
        for name, losses in trace.each("raced_loss"):
            if len(losses) > 1 and 0 < losses.first < math.inf:
                unseen = trace.value("raced_unseen_loss", name)
                last = losses.last if math.isfinite(losses.last) else math.inf
                runs[name] = Race(losses.first, last, math.nan if unseen is None else unseen)
        planned = trace.data.get("raced_loss", {}).get(PLANNED)
        return cls(runs, int(planned.steps[-1]) if planned is not None and len(planned) else 0)

    @property
    def planned(self) -> Race | None:
        """None where it was not run, or began at a loss that is not above zero."""
        return self.runs.get(PLANNED)

    @property
    def at_best_rate(self) -> Race | None:
        """The planned network and optimizer at the best of the rates that were tried."""
        return min((self.runs[n] for n in RATES if n in self.runs), key=lambda r: r.last, default=None)

    def best(self, start: str) -> tuple[str, Race] | None:
        """The best run whose name starts so, and its name; None where there is none."""
        return min(((n, r) for n, r in self.runs.items() if n.startswith(start)), key=lambda x: x[1].last, default=None)


def starts_badly(trace: Trace) -> bool:
    """Freshly drawn weights learn one batch by heart, where the given ones do at no rate: then these are at fault, and
    that something else helps as well proves nothing."""

    def learnt(start: str) -> bool:
        runs = [s for name, s in trace.each("overfit_loss") if name.startswith(start) and len(s)]
        return any(0 <= s.last < LEARNT * s.first < math.inf for s in runs)

    return learnt("fresh x") and not learnt("here x")
