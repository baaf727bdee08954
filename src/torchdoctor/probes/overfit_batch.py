"""Can the network learn one batch by heart, at this learning rate, at another, from fresh weights?"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import sample
from torchdoctor.probes.stopwatch import Stopwatch

STEPS = 60  # a healthy small network learns 32 samples by heart in this many, at a rate that suits it
FEWEST = 20  # for a network so slow that 60 steps at four rates would take longer than SECONDS
SECONDS = 3.0  # for all runs together; no further one is begun when they are used up
SAMPLES = 32
FACTORS = (1.0, 0.1, 10.0)  # of the planned rate
HIGHER = (1e2, 1e3, 1e4, 1e5)  # then on from the better end, while no rate has come to LEARNT
LOWER = (1e-2, 1e-3)
BEYOND = 10.0  # times the length of all weights: a first step longer than that is so far off that ...
CUSTOMARY = 1e-2  # ... the rate is tried whose first step has this length, whatever factor that takes
RUNS = 4  # as many as a network needs that is neither healthy nor hopeless
SOLVED = 0.02  # of the first loss: learnt by heart
LEARNT = 0.3  # of the first loss: well under way
LEAP = 2.5  # of the first loss: a run that went so high on its way counts as one that went nowhere
STUCK = 0.75  # of the first loss: if no rate gets below, fresh weights are tried

Curve = Generator[Measurement, None, float]  # returns the loss reached over the first; at least 1 when it failed


@probe(passes=120, measures={"overfit_loss": "loss: of one fixed batch, step by step, by start and rate"})
def overfit_batch(bench: Bench) -> Iterator[Measurement | Fact]:
    """Trains forks on one batch, with the user's optimizer and settings, at several multiples of the planned rate:
    "here x1", "here x0.1" ... and, when nothing is learnt at any, from fresh weights: "fresh x1" ...

    Training mode, the same samples each step, a new optimizer state. A run ends early when the batch is learnt or the
    loss is not finite. The planned rate is the peak of the schedule, where the optimizer's groups know it; the fact
    `warms_up` says that the run would not begin with it.
    """
    batch = sample(bench, SAMPLES)
    stopwatch = Stopwatch()
    steps, length = _affordable(bench, batch)
    lower = (*LOWER, 10.0 ** round(math.log10(CUSTOMARY / length))) if BEYOND < length < math.inf else LOWER
    groups = bench.parts.optimizer.param_groups
    yield Fact("warms_up", any(float(g["lr"]) < 0.5 * _peak(g) for g in groups if "lr" in g))
    reached: dict[float, float] = {}

    def time_left() -> bool:
        return stopwatch.seconds < SECONDS

    def best() -> float:
        return min(reached, key=lambda factor: reached[factor])

    for factor in FACTORS:
        if factor == 1 or time_left():
            reached[factor] = yield from _curve(bench, bench.fork(), batch, f"here x{factor:g}", factor, steps)
    for factor in HIGHER if best() > 1 and lower is LOWER else lower:
        if time_left() and reached[best()] > LEARNT and (factor < 1 or best() == factor / 10):
            reached[factor] = yield from _curve(bench, bench.fork(), batch, f"here x{factor:g}", factor, steps)
    for factor in FACTORS if reached[best()] > STUCK else ():
        fresh = bench.fresh()
        if fresh is not None and time_left():
            yield from _curve(bench, fresh, batch, f"fresh x{factor:g}", factor, steps)


def _affordable(bench: Bench, batch: Batch) -> tuple[int, float]:
    """Steps per run, so that RUNS of them fit into SECONDS; and the length of the first over that of all weights."""
    parts = _at_rate(training(bench.fork()), 1.0)
    before = _weights(parts)
    bench.step(parts, batch)  # the first is slower than the rest
    length = _length([a - b for a, b in zip(_weights(parts), before)]) / max(_length(before), 1e-12)
    stopwatch = Stopwatch()
    bench.step(parts, batch)
    each = max(stopwatch.seconds, 1e-6)
    return int(min(STEPS, max(FEWEST, SECONDS / RUNS / each))), length


def _weights(parts: Parts) -> list[Tensor]:
    return [p.detach().double() for p in parts.model.parameters() if p.is_floating_point()]


def _length(tensors: list[Tensor]) -> float:
    return math.sqrt(sum(float(t.square().sum()) for t in tensors))


def _curve(bench: Bench, parts: Parts, batch: Batch, subject: str, factor: float, steps: int) -> Curve:
    losses: list[float] = []
    for loss in _losses(bench, _at_rate(training(parts), factor), batch, steps):
        yield Measurement("overfit_loss", loss, subject, len(losses))
        losses.append(loss)
    last = float(np.median(losses[-max(1, len(losses) // 10) :]))
    if not (losses[0] > 0 and math.isfinite(last)):
        return math.inf
    return max(last / losses[0], 1.0 if max(losses) > LEAP * losses[0] else 0.0)


def _losses(bench: Bench, parts: Parts, batch: Batch, steps: int) -> Iterator[float]:
    first = math.nan
    for step in range(steps):
        loss = float(bench.step(parts, batch))
        first = loss if step == 0 else first
        yield loss
        if not math.isfinite(loss) or 0 <= loss < SOLVED * first:
            return


def _at_rate(parts: Parts, factor: float) -> Parts:
    """The planned rate times `factor`: a schedule that warms up from nearly nothing keeps its peak in the groups."""
    twin = parts.with_optimizer()
    for group in twin.optimizer.param_groups:
        if "lr" in group:
            group["lr"] = factor * _peak(group)
    return twin


def _peak(group: dict[str, Any]) -> float:
    return max(float(group[k]) for k in ("lr", "initial_lr", "max_lr") if k in group)
