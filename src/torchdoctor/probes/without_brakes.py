"""What would the same steps do without dropout, and without weight decay?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.dropouts import dropouts
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.stopwatch import Stopwatch

STEPS = 120  # a healthy small network with dropout of a half has learnt four batches in as many
FEWEST = 30  # for a network so slow that 120 steps would take longer than its share of SECONDS
SECONDS = 2.0  # for all runs together
AS_PLANNED, NO_DROPOUT, NO_DECAY = "as planned", "no dropout", "no weight decay"


@probe(
    passes=130,  # of a network so slow that time counts; of a fast one more, within SECONDS
    measures={
        "brakeless_loss": 'loss: of the first batches before and after the same steps "as planned", with "no dropout" '
        'and with "no weight decay"; dropout is off while it is taken',
        "dropout_share": "0..1: the largest share that a dropout layer drops",
    },
)
def without_brakes(bench: Bench) -> Iterator[Measurement]:
    """Trains forks on the first few batches, in turns, as planned and with one brake taken off; nothing where there is
    none. All are measured alike, in training mode with dropout off, so that normalisation goes by the batch in each."""
    parts = training(bench.fork())
    dropped, decays = dropouts(parts.model), _decays(parts)
    if dropped:
        yield Measurement("dropout_share", max(share for _, _, share in dropped))
    runs: dict[str, Callable[[Parts], Parts]] = {}
    if dropped:
        runs[NO_DROPOUT] = _without_dropout
    if decays:
        runs[NO_DECAY] = _without_decay
    if not runs:
        return
    steps = _affordable(bench, parts, len(runs) + 1)
    for name, change in {AS_PLANNED: _unchanged, **runs}.items():
        twin = change(training(bench.fork()))
        before = _loss(bench, twin, bench.batches)
        for step in range(steps):
            bench.step(twin, bench.batches[step % len(bench.batches)])
        yield Measurement("brakeless_loss", before, name, 0)
        yield Measurement("brakeless_loss", _loss(bench, twin, bench.batches), name, steps)


def _affordable(bench: Bench, parts: Parts, runs: int) -> int:
    """Steps per run, so that all of them fit into SECONDS."""
    bench.step(parts, bench.batches[0])  # the first is slower than the rest
    stopwatch = Stopwatch()
    bench.step(parts, bench.batches[0])
    return int(min(STEPS, max(FEWEST, SECONDS / runs / max(stopwatch.seconds, 1e-6))))


def _decays(parts: Parts) -> bool:
    return any(float(group.get("weight_decay") or 0.0) > 0 for group in parts.optimizer.param_groups)


def _unchanged(parts: Parts) -> Parts:
    return parts


def _without_dropout(parts: Parts) -> Parts:
    for module, name, _ in dropouts(parts.model):
        setattr(module, name, 0.0)
    return parts


def _without_decay(parts: Parts) -> Parts:
    for group in parts.optimizer.param_groups:
        if group.get("weight_decay"):
            group["weight_decay"] = 0.0
    return parts


@torch.no_grad()
def _loss(bench: Bench, parts: Parts, batches: Sequence[Batch]) -> float:
    with _nothing_dropped(parts.model):
        losses = [float(bench.loss(parts, batch)) for batch in batches]
    return sum(losses) / len(losses) if losses else math.nan


@contextmanager
def _nothing_dropped(model: nn.Module) -> Iterator[None]:
    before = dropouts(model)
    for module, name, _ in before:
        setattr(module, name, 0.0)
    try:
        yield
    finally:
        for module, name, share in before:
            setattr(module, name, share)
