"""A few hundred steps of a fork, from where it stands, on a few batches in turns: how far does the loss come down?

May not: judge, print, decide what is tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import torch

from torchdoctor.parts import RATES, Parts
from torchdoctor.probes.batch import Batch, batches_of
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.dropouts import dropouts
from torchdoctor.probes.fork import forked
from torchdoctor.probes.sample import joined
from torchdoctor.probes.stopwatch import Stopwatch

STEPS = 240  # a healthy small network has come far in as many
FEWEST = 40  # for a network so slow that 240 steps would take too long
SAMPLES, MOST = 512, 256  # as many as there are in so many batches
KEPT_BACK = 0.25


@dataclass(frozen=True)
class Track:
    """The batches that are trained on, those kept back (perhaps none), and how many steps a run takes."""

    batches: Sequence[Batch]
    unseen: Sequence[Batch]
    steps: int


class Way(NamedTuple):
    """Mean loss of the batches before and after the steps, and after them of those kept back, in eval mode. Infinite
    where a step's loss was not finite; NaN where nothing was kept back."""

    first: float
    last: float
    unseen: float

    @property
    def left(self) -> float:
        """The last loss over the first."""
        return self.last / self.first if self.first > 0 and math.isfinite(self.last) else math.inf


def track(bench: Bench, seconds: float) -> Track:
    """The batches at hand, or more of the loader's where those are small. A run takes `seconds` at most, unless the
    network is very slow."""
    batches = list(bench.batches)
    size = max(1, batches[0].size)
    if size * len(batches) < SAMPLES:
        wanted = min(MOST, -(-SAMPLES // size))
        batches = [b.to(bench.device) for b in islice(batches_of(bench.train, "train"), wanted)]
    cut = max(1, round(len(batches) * (1 - KEPT_BACK)))
    return Track(batches[:cut], batches[cut:], _affordable(bench, batches[0], seconds))


def together(few: Track, count: int) -> Track | None:
    """Each `count` batches put together, and as many steps as see twice the samples: those that see as many would do
    for a fair race, but so few from the start say little. None where they do not fit together, or are too few."""
    groups = [few.batches[i : i + count] for i in range(0, len(few.batches) - count + 1, count)]
    batches = [whole for group in groups if (whole := _whole(group)) is not None]
    return Track(batches, few.unseen, max(FEWEST, 2 * few.steps // count)) if batches else None


def unbraked(parts: Parts, factor: float = 1.0) -> Parts:
    """Without dropout and weight decay, so that what they do is not blamed on others, and at the planned rate times
    `factor`: a schedule that warms up from nearly nothing keeps its peak in the groups. Changes the model."""
    for module, name, _ in dropouts(parts.model):
        setattr(module, name, 0.0)
    twin = parts.with_optimizer()
    for group in twin.optimizer.param_groups:
        if group.get("weight_decay"):
            group["weight_decay"] = 0.0
        if "lr" in group:
            group["lr"] = factor * max(float(group[name]) for name in RATES if name in group)
    return twin


def raced(bench: Bench, parts: Parts, on: Track) -> Way:
    """Trains `parts`, which are changed by it."""
    parts = training(parts)
    first = _loss(bench, parts, on.batches)
    for step in range(on.steps):
        if not bool(torch.isfinite(bench.step(parts, on.batches[step % len(on.batches)]))):
            return Way(first, math.inf, math.inf)
    last = _loss(bench, parts, on.batches)
    parts.model.eval()
    return Way(first, last, _loss(bench, parts, on.unseen))


def step_seconds(bench: Bench, parts: Parts, batch: Batch) -> float:
    """What a step takes, measured on a fork."""
    parts = training(forked(parts))
    bench.step(parts, batch)  # the first is slower than the rest
    stopwatch = Stopwatch()
    bench.step(parts, batch)
    return stopwatch.seconds


def _affordable(bench: Bench, batch: Batch, seconds: float) -> int:
    return int(min(STEPS, max(FEWEST, seconds / max(step_seconds(bench, bench.parts, batch), 1e-6))))


def _whole(group: Sequence[Batch]) -> Batch | None:
    whole: Batch | None = group[0]
    for batch in group[1:]:
        whole = None if whole is None else joined(whole, batch)
    return whole


@torch.no_grad()
def _loss(bench: Bench, parts: Parts, batches: Sequence[Batch]) -> float:
    losses = [float(bench.loss(parts, batch)) for batch in batches]
    return sum(losses) / len(losses) if losses else math.nan
