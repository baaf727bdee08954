"""Optimise the outputs, not the weights: which loss can be attained at all behind the last weights?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, class_ids, first_tensor, scalar
from torchdoctor.probes.bench import Bench, Kind, training
from torchdoctor.probes.descent import PATIENCE, Lowest, lowest
from torchdoctor.probes.expectation import Expectation, expectation
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import head, sample
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.probes.tail import Tail

NUMBERS = 30_000  # outputs optimised at once: thousands of samples; some hundred walks over 300,000 took 20 s
SAMPLES = 64  # of more, what stands between the weights (pooling 256 pictures) cost 20 s, and they say the same
SECONDS = 5.0  # for the walks from all starts together
PUSHES = (1.0, 1e2, 1e4)  # sizes the last weights' output is pushed to
GROWS = 1.5  # from the second push to the third: a range that still widens has no end (even log(1e4)/log(1e2) is 2)
CLOSE = 0.005  # of the way down to the free loss: near enough to stop


@probe(
    passes=6,
    seconds=1.0,  # the walks, some hundred calls each of the loss and of what stands behind the last weights
    measures={
        "attainable_loss": "loss: the lowest when the output of the last weights is optimised freely, on one batch",
        "free_loss": "loss: the lowest when the loss is fed whatever it likes best; what no output activation costs",
        "attainable_error": "share: of samples still wrong at the attainable loss; 1 - R2 for continuous targets",
        "reachable_min": "output: the least the outputs can be, however large the last weights; -inf without a bound",
        "reachable_max": "output: the most they can be; inf without a bound",
        "reachable_row_sum_spread": "output: how far the sum over the classes can be moved; 0 for a softmax",
        "reachable_log_sum": "1: largest |logsumexp| over the classes; 0 for a log-softmax",
        "reachable_clipped_share": "share: of outputs exactly at a bound for random weights; half for a ReLU",
        "loss_takes_logits": "0/1: the loss applies softmax or sigmoid itself",
        "loss_takes_log_probabilities": "0/1: the loss is linear in the target's log-probability",
        "loss_takes_probabilities": "0/1: the loss is defined, or not flat, between 0 and 1 only",
        "loss_takes_positive": "0/1: the loss is not defined below 0",
        "loss_compares_classes": "0/1: the loss looks at all classes of a row together, as a softmax does",
    },
)
def attainable_loss(bench: Bench) -> Iterator[Measurement | Fact]:
    """Replaces the output of the last weights by free numbers and lets the loss pull them, a few hundred tiny steps.

    Whatever stands behind the last weights, module or function call, is in the way of these numbers as it is in the way
    of the network; what they cannot reach no training will. Then pushes them far out to see which outputs there are,
    and feeds the loss alone to see what it expects.
    """
    tail, parts, batch = _cut(bench)
    expects = expectation(parts.loss_fn, tail.output, batch.target)
    if isinstance(tail.output, Tensor):
        yield from _expected(expects)
    if not tail.values:
        return
    reached = _reached(tail)
    if reached:
        yield from _range(reached, expects.axis)
    aim = aim_of(expects, batch.target)
    free = _free(expects, parts, tail.output, batch, aim)
    if free is not None:
        yield Measurement("free_loss", free.loss)
    best = _attained(tail, parts, batch, aim, free)
    if best is not None:
        yield Measurement("attainable_loss", best.loss)
        error = _error(first_tensor(tail(best.numbers)), batch.target, bench.kind, expects)
        if error is not None:
            yield Measurement("attainable_error", error)


class Aim(NamedTuple):
    """Where the outputs that a loss likes best are to be looked for: this far around that centre."""

    centre: float
    size: float


def aim_of(expects: Expectation, target: Any) -> Aim:
    """Around 0 for scores and what is made of them, where the targets are for anything else."""
    if expects.scores or expects.probabilities or expects.log_probabilities or not isinstance(target, Tensor):
        return Aim(0.0, 1.0)
    values = target.detach().double()
    values = values[torch.isfinite(values)]
    if not values.numel():
        return Aim(0.0, 1.0)
    centre = 0.0 if expects.positive else float(values.mean())
    return Aim(centre, float((values - centre).abs().max()) or abs(centre) or 1.0)


def _free(expects: Expectation, parts: Parts, output: Any, batch: Batch, aim: Aim) -> Lowest | None:
    """The lowest loss of freely chosen outputs; None where the output is more than one tensor."""
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    start = torch.full_like(output, aim.centre)
    return lowest(lambda z: scalar(parts.loss_fn(expects.fitting(z[0]), batch.target)), [start], aim.size)


def _cut(bench: Bench) -> tuple[Tail, Parts, Batch]:
    """In training mode, since that is where the loss is optimised; some models have other outputs in eval mode."""
    batch = sample(bench, SAMPLES)
    while True:
        parts = bench.fork()
        tail = Tail(training(parts).model, batch.inputs)
        samples = max(2, int(batch.size * NUMBERS / max(1, sum(t.numel() for t in tail.values))))
        smaller = head(batch, samples)
        if smaller.size == batch.size:
            return tail, parts, batch
        batch = smaller


def _expected(expects: Expectation) -> Iterator[Measurement]:
    yield Measurement("loss_takes_logits", float(expects.scores))
    yield Measurement("loss_takes_log_probabilities", float(expects.log_probabilities))
    yield Measurement("loss_takes_probabilities", float(expects.probabilities))
    yield Measurement("loss_takes_positive", float(expects.positive))
    yield Measurement("loss_compares_classes", float(expects.axis is not None))


def _attained(tail: Tail, parts: Parts, batch: Batch, aim: Aim, free: Lowest | None) -> Lowest | None:
    """From where the network stands, and, should that be a dead end of a ReLU or sigmoid, from either side of it. A
    bottom that is reached twice is the bottom."""

    def loss_of(values: list[Tensor]) -> Tensor:
        return scalar(parts.loss_fn(tail(values), batch.target))

    size = abs(aim.centre) + aim.size
    own = max(float(torch.cat([v.reshape(-1) for v in tail.values]).std()), 1e-3)
    best: Lowest | None = None
    stopwatch = Stopwatch()
    for scale in (size,) if 0.1 < size / own < 10 else (size, own):
        for start in _starts(tail.values, scale):
            found = lowest(loss_of, start, scale, min(PATIENCE, SECONDS - stopwatch.seconds))
            if found is None:
                continue
            near = CLOSE * (found.first - min(found.loss, free.loss if free else math.inf))
            if best is not None and abs(found.loss - best.loss) <= near:
                return min(found, best, key=lambda lowest: lowest.loss)
            best = found if best is None or found.loss < best.loss else best
            if free is not None and best.loss <= free.loss + near:
                return best
    return best


def _starts(values: Sequence[Tensor], size: float) -> Iterator[list[Tensor]]:
    yield list(values)
    for sign in (0.5, -0.5):
        yield [sign * size * t.abs() for t in _drawn(values)]


def _drawn(values: Sequence[Tensor]) -> list[Tensor]:
    """Standard normal numbers in the shapes of the values, the same each time."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(v.shape, generator=generator).to(v) for v in values]


def _reached(tail: Tail) -> list[Tensor]:
    """One tensor of outputs per size in PUSHES; in it all patterns: random, all up, all down, one unit up. Empty where
    the outputs' shape hangs on the values (routing to experts)."""
    noise = _drawn(tail.values)
    patterns = (noise, [t.abs() for t in noise], [-t.abs() for t in noise], [t * (t > 1) for t in noise])

    def outputs(size: float) -> Tensor:
        return torch.stack([first_tensor(tail([size * t for t in p])).detach().double() for p in patterns])

    try:
        with torch.no_grad():
            return [outputs(size) for size in PUSHES]
    except RuntimeError:
        return []


def _range(reached: list[Tensor], axis: int | None) -> Iterator[Measurement]:
    low = _bound([-t for t in reached])
    high = _bound(reached)
    yield Measurement("reachable_min", -low)
    yield Measurement("reachable_max", high)
    own = reached[0][0]
    yield Measurement("reachable_clipped_share", float(((own == high) | (own == -low)).double().mean()))
    if own.ndim >= 2:
        dim = 2 if axis is None else axis + 1  # one more for the patterns
        sums = torch.cat([t.sum(dim).reshape(-1) for t in reached[:2]])  # the farthest push might overflow them
        logs = torch.cat([t.logsumexp(dim).reshape(-1) for t in reached[:2]])
        yield Measurement("reachable_row_sum_spread", float(sums.max() - sums.min()))
        yield Measurement("reachable_log_sum", float(logs.abs().max()))


def _bound(reached: list[Tensor]) -> float:
    """The most the outputs can be; infinity where they grow with the push, or overflow."""
    middle, far = (float(t.max()) for t in reached[1:])
    if not math.isfinite(far):
        return math.inf
    return math.inf if far > 0 and far > GROWS * max(middle, 0.0) + 1e-6 else max(float(t.max()) for t in reached)


def _error(output: Tensor, target: Any, kind: Kind, expects: Expectation) -> float | None:
    if not isinstance(target, Tensor):
        return None
    if kind == "classes" and expects.axis is not None:
        chosen, wanted = output.argmax(expects.axis).reshape(-1), class_ids(target).reshape(-1)
        return float((chosen != wanted).double().mean()) if chosen.shape == wanted.shape else None
    if output.shape != target.shape or not target.is_floating_point():
        return None
    if expects.scores and kind in ("binary", "multilabel"):
        return float(((output > 0) != (target > 0.5)).double().mean())
    spread = float((target - target.mean(0)).square().mean())
    return float((output.detach() - target).square().mean()) / spread if spread > 0 else None
