"""One forward pass of the untrained model: what are its outputs like, and what does the loss make of them?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.attainable_loss import aim_of
from torchdoctor.probes.batch import first_tensor, scalar
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.descent import lowest
from torchdoctor.probes.expectation import Expectation, expectation, gradient, on_cpu
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import sample

MANY = 2_000  # targets that the best constant is sought for ...
NUMBERS = 300_000  # ... of as many outputs: a window of a text has thousands, and the walk calls the loss for hundreds


@probe(
    passes=2,
    seconds=1.0,  # the walk to the best constant, some hundred calls of the loss
    measures={
        "start_loss": "loss: of one batch before any step; NaN where the loss refuses the outputs",
        "prior_loss": "loss: of the best constant prediction (label entropy, ln 2, variance ...)",
        "doubled_loss_ratio": "1: loss of the batch twice over, divided by its loss; 1 for a mean, 2 for a sum",
        "output_mean": "output: mean over the batch",
        "output_std": "output: standard deviation over samples and outputs",
        "output_min": "output: least",
        "output_max": "output: greatest",
        "output_sample_spread": "1: standard deviation across samples over the outputs' size; 0 when all are alike",
        "row_sum_error": "output: largest |sum over the classes - 1|; 0 for probabilities",
        "broadcast": "0/1: output and target of different shapes are spread over each other across samples",
    },
)
def outputs_at_start(bench: Bench) -> Iterator[Measurement | Fact]:
    """One forward pass of one batch in training mode, and the loss of it, of the same twice over, and of the best
    constant. Does the loss of one sample hang on the target of another? Then the shapes broadcast."""
    parts, batch = bench.fork(), sample(bench)
    with torch.no_grad():
        raw = training(parts).model(*batch.inputs)
    output = first_tensor(raw).detach()
    yield Fact("output", {"shape": list(output.shape), "dtype": str(output.dtype).removeprefix("torch.")})
    yield from _of_values(output)
    start = _loss(parts, raw, batch.target)
    yield Measurement("start_loss", start)
    if raw is not output and not isinstance(raw, Tensor):
        return  # several outputs: only the user's loss knows what each is for
    expects = expectation(parts.loss_fn, output, batch.target)
    yield from _of_rows(output, expects.axis)
    yield from _doubled(parts, output, batch.target, start)
    yield Measurement("broadcast", float(_broadcasts(on_cpu(parts.loss_fn, batch.target), parts, output, batch.target)))
    prior = _prior_of_many(bench, parts, expects, output, batch.target)
    if prior is not None:
        yield Measurement("prior_loss", prior)


def _of_values(output: Tensor) -> Iterator[Measurement]:
    values = output.double()
    yield Measurement("output_mean", float(values.mean()))
    yield Measurement("output_std", float(values.std(correction=0)))
    yield Measurement("output_min", float(values.min()))
    yield Measurement("output_max", float(values.max()))
    if output.ndim and len(output) > 1:
        size = float(values.square().mean().sqrt())
        across = float(values.var(0, correction=0).mean().sqrt())
        yield Measurement("output_sample_spread", across / size if size > 0 else 0.0)


def _of_rows(output: Tensor, axis: int | None) -> Iterator[Measurement]:
    dim = 1 if axis is None else axis
    if output.ndim > dim and output.shape[dim] > 1:
        yield Measurement("row_sum_error", float((output.double().sum(dim) - 1).abs().max()))


def _loss(parts: Parts, output: Any, target: Any) -> float:
    try:
        with torch.no_grad():
            return float(scalar(parts.loss_fn(output, target)))
    except Exception:  # noqa: BLE001 - a loss may refuse outputs in any way it likes; refusing is an answer
        return math.nan


def _doubled(parts: Parts, output: Tensor, target: Any, start: float) -> Iterator[Measurement]:
    if isinstance(target, Tensor) and target.ndim and output.ndim and start:
        twice = _loss(parts, torch.cat([output, output]), torch.cat([target, target]))
        if math.isfinite(twice / start):
            yield Measurement("doubled_loss_ratio", twice / start)


def _prior_of_many(bench: Bench, parts: Parts, expects: Expectation, output: Tensor, target: Any) -> float | None:
    """For as many targets as were read: the variance of 64 alone is off by a fifth, and a run that learns little would
    seem to learn nothing. For a batch's worth where the loss is a sum; of this batch where it looks at pairs."""
    once = _prior(parts, expects, output, output.shape, target)
    rows = _read(bench, output, target)
    if once is None or rows is None:
        return once
    twice = _prior(
        parts, expects, output, torch.Size([2 * len(target), *output.shape[1:]]), torch.cat([target, target])
    )
    grows = math.nan if twice is None or not once else twice / once
    if not any(abs(grows - ratio) < 0.01 * ratio for ratio in (1, 2)):
        return once
    many = _prior(parts, expects, output, torch.Size([len(rows), *output.shape[1:]]), rows)
    return once if many is None else many * (len(target) / len(rows) if grows > 1.5 else 1.0)


def _read(bench: Bench, output: Tensor, target: Any) -> Tensor | None:
    """The targets of further samples; None where they are not like those of this batch."""
    if not isinstance(target, Tensor) or not target.ndim or not output.ndim or len(output) != len(target):
        return None
    rows = [t for t in bench.surveyed.labels if t.ndim and t.shape[1:] == target.shape[1:] and t.dtype == target.dtype]
    most = min(MANY, max(len(target), NUMBERS * len(output) // max(1, output.numel())))
    return torch.cat(rows)[:most].to(target.device) if sum(map(len, rows)) > len(target) else None


def _prior(parts: Parts, expects: Expectation, output: Tensor, shape: torch.Size, target: Any) -> float | None:
    """One prediction for all samples (and, where classes are predicted at many places, for all places)."""
    if not output.is_floating_point() or not output.ndim:
        return None
    places = [n if expects.axis in (None, i) else 1 for i, n in enumerate(output.shape)]
    aim = aim_of(expects, target)
    constant = torch.full([1, *places[1:]], aim.centre, dtype=output.dtype, device=output.device)

    def loss_of(numbers: list[Tensor]) -> Tensor:
        return scalar(parts.loss_fn(expects.fitting(numbers[0]).expand(shape), target))

    found = lowest(loss_of, [constant], aim.size)
    return None if found is None else found.loss


def _broadcasts(loss_of: Callable[[Tensor], Tensor], parts: Parts, output: Tensor, target: Any) -> bool:
    """Shapes differ, and the gradient of the first samples changes with the target of the last one alone."""
    if not isinstance(target, Tensor) or output.shape == target.shape or min(output.ndim, target.ndim) == 0:
        return False
    if len(output) < 2 or not _spreads(output.shape, target.shape):
        return False
    if output.ndim == target.ndim and len(output) == len(target):
        return False  # sample stands against sample; what reaches across them is the loss's own doing (survival)
    cpu, wanted = output.cpu(), target.cpu()
    if not wanted.is_floating_point():
        wanted = wanted.to(output.dtype)
        if not _same(loss_of, on_cpu(parts.loss_fn, wanted), cpu):
            return False  # class numbers: the loss looks them up instead of comparing
    before = gradient(on_cpu(parts.loss_fn, wanted), cpu)
    far = 10 * float(torch.maximum(cpu.abs().max(), wanted.abs().max())) + 1
    for shift in (far, -far):  # both ways, since a loss like |x| feels only a change of side
        moved = wanted.clone()
        moved[-1] += shift
        after = gradient(on_cpu(parts.loss_fn, moved), cpu)
        if before is not None and after is not None and not torch.allclose(before[0], after[0], rtol=1e-4, atol=1e-12):
            return True
    return False


def _spreads(a: torch.Size, b: torch.Size) -> bool:
    """Whether the smaller shape can be spread over the larger one, aligned at the last dimension."""
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b)))


def _same(one: Callable[[Tensor], Tensor], other: Callable[[Tensor], Tensor], at: Tensor) -> bool:
    try:
        return bool(torch.isclose(one(at), other(at)))
    except Exception:  # noqa: BLE001 - a loss that looks classes up refuses floats
        return False
