"""Does the loss reward outputs that agree with the targets, and how?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.probes.batch import class_ids, moved
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.expectation import Loss, gradient, on_cpu
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import sample

SURE = 3.0  # scores that say yes and no: probabilities of 0.95 and 0.05
FAR, FARTHER = 30.0, 300.0  # where a loss with a bottom has met it
BOTTOM = -1.0  # losses of yes and no answers are not negative
DISTANCES = (1.0, 2.0, 5.0, 10.0)  # margins that contrastive losses have
STRAIGHT = 1e-3  # relative change of a gradient that is meant to be none

Reading = Callable[[Tensor, int | None], Tensor]
# An output may be read as scores, as probabilities or as their logarithms; which it is, the loss knows.
READINGS: tuple[Reading, ...] = (
    lambda z, axis: z,
    lambda z, axis: torch.sigmoid(z) if axis is None else torch.softmax(z, axis),
    lambda z, axis: torch.nn.functional.logsigmoid(z) if axis is None else torch.log_softmax(z, axis),
)


@probe(
    passes=1,
    measures={
        "agreeing_loss": "loss: of outputs that say the targets, in the reading that rewards them most",
        "disagreeing_loss": "loss: of outputs that say other samples' targets or the opposite, in the same reading",
        "opposite_fits": "0/1: yes/no targets said the wrong way round, as 0 and 1, 2, 5 or 10, cost nothing and leave "
        "no gradient, as the distances of a contrastive loss do",
        "loss_is_straight": "0/1: between 0 and 1 the loss is a straight line in every output, as an absolute error is",
        "loss_is_indifferent": "0/1: one value and no gradient for random outputs of 0.1, 1 and 10 in size",
        "loss_is_bottomless": "0/1: it falls without bound for these targets, and does not for targets in 0..1",
        "outputs_per_target": "1: numbers of a sample that the loss compares with one and the same target, all alike; "
        "below 1: one number is compared with several targets",
    },
)
def loss_preference(bench: Bench) -> Iterator[Measurement]:
    """Outputs made by hand: some that agree with the targets of a batch, some that do not, read as scores, as
    probabilities and as their logarithms. Nothing but the loss is run, on the CPU; a few dozen calls."""
    batch = sample(bench, 64)
    with torch.no_grad():
        raw = bench.parts.model(*batch.inputs)
    if not isinstance(raw, Tensor) or not raw.is_floating_point() or not isinstance(batch.target, Tensor):
        return  # several outputs: only the loss knows what each is for
    cpu = torch.device("cpu")
    output, target = raw.detach().cpu(), moved(batch.target, cpu)
    loss_of = on_cpu(bench.parts.loss_fn, target)
    pair = _preferred(loss_of, output, target)
    if pair is not None:
        yield Measurement("agreeing_loss", pair[0])
        yield Measurement("disagreeing_loss", pair[1])
    if set(target.unique().tolist()) == {0.0, 1.0} and target.numel() == output.numel():
        yield Measurement(
            "opposite_fits", float(_opposite_fits(loss_of, target.reshape(output.shape).to(output.dtype)))
        )
    yield Measurement("loss_is_indifferent", float(_indifferent(loss_of, output)))
    if target.is_floating_point() and target.numel() == output.numel():
        yield Measurement("loss_is_straight", float(_straight(loss_of, output)))
        bottomless = _falls(loss_of, output) and not _falls(on_cpu(bench.parts.loss_fn, target.clamp(0.0, 1.0)), output)
        yield Measurement("loss_is_bottomless", float(bottomless))
    ratio = _shared(bench.parts.loss_fn, output, target)
    if ratio is not None:
        yield Measurement("outputs_per_target", ratio)


def _preferred(loss_of: Loss, output: Tensor, target: Tensor) -> tuple[float, float] | None:
    """(agreeing, disagreeing) in the reading with the largest gain for agreeing; None where none is defined."""
    found: list[tuple[float, float]] = []
    for agreeing, disagreeing in _answers(output, target):
        pair = _value(loss_of, agreeing), _value(loss_of, disagreeing)
        if all(math.isfinite(v) for v in pair):
            found.append(pair)
    return max(found, key=lambda pair: pair[1] - pair[0], default=None)


def _answers(output: Tensor, target: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs that say the target, and outputs that say something else."""
    axis = _axis(output, target)
    if axis is not None:
        ids = class_ids(target).reshape(*output.shape[:axis], *output.shape[axis + 1 :])
        if int(ids.min()) < 0 or int(ids.max()) >= output.shape[axis]:
            return
        scores = tuple(SURE * _marked(i, output, axis) for i in (ids, (ids + 1) % output.shape[axis]))
    elif target.numel() != output.numel() or not target.is_floating_point():
        return
    else:
        values = target.reshape(output.shape).to(output.dtype)
        others = values.flip(0) if len(values) > 1 else -values
        yield values, others
        if not set(values.unique().tolist()) <= {-1.0, 0.0, 1.0}:  # type: ignore[no-untyped-call]
            return
        sign = torch.where(values > 0, 1.0, -1.0).to(output.dtype)
        scores = (SURE * sign, -SURE * sign)
    for read in READINGS:
        yield read(scores[0], axis), read(scores[1], axis)


def _axis(output: Tensor, target: Tensor) -> int | None:
    """Where the classes are, when the targets are their numbers."""
    if target.is_floating_point() or output.numel() == target.numel() or not target.numel():
        return None
    axes = [a for a in (1, output.ndim - 1) if 0 < a < output.ndim]
    return next((a for a in axes if output.numel() == target.numel() * output.shape[a] and output.shape[a] > 1), None)


def _marked(ids: Tensor, output: Tensor, axis: int) -> Tensor:
    ones = torch.nn.functional.one_hot(ids.long(), output.shape[axis]).to(output.dtype)
    return 2 * ones.movedim(-1, axis) - 1


def _straight(loss_of: Loss, output: Tensor) -> bool:
    """The same gradient at 0.1, 0.5 and 0.9, and one that is not zero."""
    slopes = [gradient(loss_of, torch.full_like(output, p)) for p in (0.1, 0.5, 0.9)]
    first = slopes[0]
    if first is None or not bool((first != 0).all()):
        return False
    size = float(first.abs().max())
    return all(g is not None and float((g - first).abs().max()) <= STRAIGHT * size for g in slopes)


def _indifferent(loss_of: Loss, output: Tensor) -> bool:
    """As a cross-entropy over one class is."""
    numbers = torch.Generator().manual_seed(0)
    tried = [size * torch.randn(output.shape, generator=numbers).to(output.dtype) for size in (0.1, 1.0, 10.0)]
    slopes = [gradient(loss_of, outputs) for outputs in tried]
    values = {_value(loss_of, outputs) for outputs in tried}
    return len(values) == 1 and math.isfinite(values.pop()) and all(g is not None and not g.any() for g in slopes)


def _opposite_fits(loss_of: Loss, target: Tensor) -> bool:
    """At 1 - target, or a larger distance where the margin is larger, the loss is at its bottom, which is zero."""
    scale = abs(_value(loss_of, target))
    for far in DISTANCES:
        at = far * (1 - target)
        value, slope = _value(loss_of, at), gradient(loss_of, at)
        if slope is not None and abs(value) <= STRAIGHT * scale and not slope.any():
            return True
    return False


def _falls(loss_of: Loss, output: Tensor) -> bool:
    """Down the slope, far out, it is below zero and still falling; of a loss that refuses such outputs, whether it is
    below zero among probabilities."""
    slope = gradient(loss_of, torch.full_like(output, 0.5))
    if slope is None or not bool(slope.any()):
        return False
    down = -slope.sign()
    near, far = _value(loss_of, FAR * down), _value(loss_of, FARTHER * down)
    if not math.isnan(near):
        return near < BOTTOM and far < 5 * near
    return _value(loss_of, torch.where(down > 0, 1 - 1e-6, 1e-6).to(output.dtype)) < BOTTOM


def _shared(loss_fn: Any, output: Tensor, target: Tensor) -> float | None:
    """How many outputs of a sample share a target (or targets an output, as 1/n) when their shapes are spread over each
    other; None where the loss tells the several apart, as one of quantiles does, or where the shapes agree."""
    if not target.is_floating_point() or len(output) != len(target) or output.numel() == target.numel():
        return None
    if not bool((target != target.reshape(-1)[0]).any()):
        return None  # residuals of equations against zero: there is nothing to be told apart
    if output.ndim != target.ndim or any(m != n and 1 not in (m, n) for m, n in zip(output.shape, target.shape)):
        return None
    several = output if output.numel() > target.numel() else target
    axis = next(a for a in range(several.ndim) if output.shape[a] != target.shape[a])
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(several.shape, generator=generator).to(several.dtype)
    drawn, other = (target, output) if several is target else (drawn, target)
    pairs = list(_exchanged(drawn, other, axis, several is output))
    first, turned = (_value(on_cpu(loss_fn, t), o) for o, t in pairs)
    moved_away = _value(on_cpu(loss_fn, pairs[0][1] + 1), pairs[0][0])
    finite = all(math.isfinite(v) for v in (first, turned, moved_away))
    if not finite or abs(first - turned) > STRAIGHT * abs(first) or moved_away == first:
        return None  # told apart, or not looked at
    return output.numel() / target.numel()


def _exchanged(several: Tensor, one: Tensor, axis: int, outputs: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """(output, target), as it is and with the several in another order."""
    for x in (several, several.flip(axis)):
        yield (x, one) if outputs else (one, x)


def _value(loss_of: Loss, at: Any) -> float:
    try:
        return float(loss_of(at))
    except Exception:  # noqa: BLE001 - a loss may refuse outputs in any way it likes; refusing is an answer
        return math.nan
