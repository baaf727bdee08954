"""Where some hundred steps as planned lead nowhere: would another optimizer, width, batch size, or skips?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

import torch

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.short_run import Track, raced, step_seconds, together, track, unbraked
from torchdoctor.probes.skips import with_skips
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.probes.wider import hidden_widths, widened

SECONDS = 3.0  # for all runs together; no further one is begun when they are used up
RUNS = 6  # that fit into them
DEAREST = 4.0  # times its share a run may take: a twin of many more units may cost a thousand times as much
LEARNT = 0.3  # of the first loss: the plan is good enough, and nothing else is tried
NARROW, WIDE = 16, 64  # units: no hidden layer above the first lacks width; the twin's narrowest has the second
DEEP = 6  # weight matrices
SMALL, JOINED = 8, 8  # samples a batch; batches put together
ADAM, MOMENTUM = 1e-3, 0.9  # torch's own default, and the one of nearly all papers

Change = Callable[[Parts], Parts]


@probe(
    passes=150,  # of a network so slow that time counts; of a fast one more, within SECONDS
    measures={
        "raced_loss": "loss: of the batches trained on, before and after the same steps, by what was changed: "
        '"as planned", "larger batches", "rate x10", "rate x0.1", "adam", "sgd x1", "skips x1", "wider x1" ...',
        "raced_unseen_loss": "loss: of batches that were kept back, in eval mode, after the steps",
        "hidden_width": "units: of the narrowest hidden layer; 0 where there is none",
    },
)
def short_races(bench: Bench) -> Iterator[Measurement]:
    """Trains forks for the same few steps on the same batches, each with one thing changed; all without dropout and
    weight decay, so that what those do is not blamed on others.

    As planned comes first, and where that comes to 0.3 of the first loss nothing else is tried, except larger batches
    in the place of very small ones. Then the rate times ten and a tenth; then, where no rate got there, another
    optimizer, skips around the layers of a deep network, a wider twin of a narrow one. What would take far longer than
    its share of the time is left out.
    """
    stopwatch, on = Stopwatch(), track(bench, SECONDS / RUNS)
    left: dict[str, float] = {}

    def run(name: str, change: Change, on: Track = on) -> Iterator[Measurement]:
        if stopwatch.seconds >= SECONDS:
            return
        changed = change(bench.fork())
        if on.steps * step_seconds(bench, changed, on.batches[0]) <= DEAREST * SECONDS / RUNS:
            way = raced(bench, changed, on)
            left[name] = way.left
            yield Measurement("raced_loss", way.first, name, 0)
            yield Measurement("raced_loss", way.last, name, on.steps)
            yield Measurement("raced_unseen_loss", way.unseen, name, on.steps)

    yield from run("as planned", _at(1))
    if on.batches[0].size <= SMALL and (larger := together(on, JOINED)) is not None:
        yield from run("larger batches", _at(1), larger)
    rates = {"as planned": 1.0, "rate x10": 10.0, "rate x0.1": 0.1}
    for name, factor in rates.items():
        if name not in left and _least(left, rates) >= LEARNT:
            yield from run(name, _at(factor))
    if _least(left, rates) < LEARNT:
        return
    for name, change in _other_optimizers(bench.parts).items():
        yield from run(name, change)
    best = min(left.keys() & rates, key=lambda name: left[name])
    yield Measurement("hidden_width", min(_widths(bench).values(), default=0))
    for label, change in _other_models(bench):
        for factor in dict.fromkeys((1.0, rates[best])):
            yield from run(f"{label} x{factor:g}", _both(change, _at(factor)))


def _least(left: Mapping[str, float], names: Iterable[str]) -> float:
    return min((left[name] for name in names if name in left), default=math.inf)


def _other_optimizers(parts: Parts) -> dict[str, Change]:
    """Adam at its default; momentum at usual rates where the plan is of Adam's kind."""
    if isinstance(parts.optimizer, (torch.optim.Adam, torch.optim.AdamW)):
        return {f"sgd x{k:g}": partial(_with, torch.optim.SGD, lr=0.01 * k, momentum=MOMENTUM) for k in (1, 10)}
    return {"adam": partial(_with, torch.optim.Adam, lr=ADAM)}


def _with(kind: Callable[..., torch.optim.Optimizer], parts: Parts, **settings: float) -> Parts:
    held = [p for group in parts.optimizer.param_groups for p in group["params"]]
    return replace(unbraked(parts), optimizer=kind(held, **settings), scheduler=None)


def _other_models(bench: Bench) -> Iterator[tuple[str, Change]]:
    model, batch = bench.parts.model, bench.batches[0]
    if sum(p.ndim > 1 for p in model.parameters()) >= DEEP and with_skips(model, batch)[1] >= DEEP // 2:
        yield "skips", lambda parts: parts.with_model(with_skips(parts.model, batch)[0])
    narrowest = min(_widths(bench).values(), default=WIDE // 4)
    factor = -(-WIDE // narrowest)
    if narrowest <= NARROW and not _gives_back_its_inputs(batch) and widened(model, batch, factor) is not None:
        yield "wider", lambda parts: parts.with_model(widened(parts.model, batch, factor) or parts.model)


def _widths(bench: Bench) -> dict[str, int]:
    return hidden_widths(bench.parts.model, bench.batches[0])


def _gives_back_its_inputs(batch: Batch) -> bool:
    """An autoencoder is narrow on purpose."""
    targets = list(tensors_in(batch.target))
    return any(x.shape == t.shape and torch.equal(x, t) for x in tensors_in(batch.inputs) for t in targets)


def _at(factor: float) -> Change:
    return lambda parts: unbraked(parts, factor)


def _both(one: Change, other: Change) -> Change:
    return lambda parts: other(one(parts))
