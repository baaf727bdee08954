"""How much a change does, with an interval: from scores of the same seeds with and without it.

The interval is Student's t over the paired differences, and never narrower than what the size of the validation set
lets one see: with 20 samples, one sample more is no proof, even if three seeds agree on it.
May not: train, print.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

LEVEL = 0.95
_Z = 1.96  # the normal quantile of LEVEL


@dataclass(frozen=True)
class Ruler:
    """What scores are measured on. samples: of the validation set.

    kind: "share" of samples or pairs (accuracy, area under the curve), 0..1; "r2"; or the user's "own", of which
    nothing is known but that more is better. chance: what one and the same answer for every sample scores.
    """

    samples: int
    kind: Literal["share", "r2", "own"] = "share"
    chance: float = math.nan

    @property
    def floor(self) -> float:
        """What a run that broke scores, and what anything worse counts as: one seed at R2 = -10^9 would otherwise widen
        an interval so far that nothing could be said."""
        return {"share": 0.0, "r2": -1.0, "own": -math.inf}[self.kind]

    @property
    def matters(self) -> float:
        """Half a point of score; a remedy that gives less is not kept for it."""
        return 0.0 if self.kind == "own" else 0.005

    def fair(self, score: float) -> float:
        """The score as it counts in a race."""
        return self.floor if math.isnan(score) else max(self.floor, score)

    def is_chance(self, score: float) -> bool:
        """Whether a score is no better than the same answer for every sample, as far as so many samples can tell:
        by the spread of a share, or of the correlation of answers that have nothing to do with the targets."""
        better = self.fair(score) - self.chance
        if math.isnan(better):
            return False
        spread = self.chance * (1 - self.chance) if self.kind == "share" else 4 * max(0.0, better)
        return better <= _Z * math.sqrt(spread / self.samples)

    def blur(self, difference: float) -> float:
        """Half the width of the interval that the size of the validation set alone gives a difference.

        Of shares: the difference comes from at least n |d| samples that changed sides (McNemar), which is a proof from
        four samples on. Of squared errors: a sum of n squares is known to a factor of 1 +- sqrt(2 / n).
        """
        size = abs(difference)
        return _Z * (math.sqrt(size / self.samples) if self.kind == "share" else size * math.sqrt(2 / self.samples))


@dataclass(frozen=True)
class Effect:
    """mean: of the differences, with minus without, over the seeds. low, high: its interval; infinite for one seed."""

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def proven(self) -> bool:
        """The interval lies above zero."""
        return self.low > 0

    @property
    def harmful(self) -> bool:
        """The interval lies below zero."""
        return self.high < 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values; an unknown bound is None."""
        low, high = (bound if math.isfinite(bound) else None for bound in (self.low, self.high))
        return {"mean": self.mean, "low": low, "high": high, "seeds": self.seeds}


def effect_of(with_it: Mapping[int, float], without: Mapping[int, float], ruler: Ruler) -> Effect:
    """Of the seeds that both have, {seed: score}."""
    differences = paired(with_it, without, ruler)
    if not differences:
        return Effect(0.0, -math.inf, math.inf, 0)
    mean = float(np.mean(differences))
    half = max(_half_width(differences), ruler.blur(mean))
    return Effect(mean, mean - half, mean + half, len(differences))


def paired(with_it: Mapping[int, float], without: Mapping[int, float], ruler: Ruler) -> list[float]:
    """The differences, with minus without, of the seeds that both have, in their order."""
    seeds = sorted(set(with_it) & set(without))
    pairs = [(ruler.fair(with_it[s]), ruler.fair(without[s])) for s in seeds]
    known = [score for pair in pairs for score in pair if math.isfinite(score)]
    worst = min(known, default=0.0)  # of the user's own score nobody knows the floor
    return [max(worst, a) - max(worst, b) for a, b in pairs]


def _half_width(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.inf
    from scipy.stats import t  # 0.4 s to import, so only where something is proven

    quantile = float(t.ppf(0.5 + LEVEL / 2, len(values) - 1))
    return quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))
