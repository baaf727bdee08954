"""Is the loss still a number when the network is sure of itself?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, scalar
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import head, sample
from torchdoctor.probes.tail import Tail

# Sizes of the last weights' output. At 17 a sigmoid is 1 to float32, at 52 a softmax of two opposite scores is 0; at 89
# an exponential is beyond float32, which losses of rates and variances may well be by design.
SIZES = (5.0, 10.0, 20.0, 40.0, 60.0)
SAMPLES = 32
EQUAL = 0.5  # any number of ordinary size
NUMBERS = 100_000  # of the last weights' output; more cost time and say the same


@probe(
    passes=3,
    measures={
        "own_loss_finite": "0/1: the loss of the outputs as they are, and its gradient, are finite",
        "equal_outputs_finite": "0/1: the same where the last weights give one and the same for all samples",
        "loss_breaks_at": "output: least size of the last weights' output, of those tried, at which the loss or its "
        "gradient is not finite; inf when at none",
    },
)
def loss_limits(bench: Bench) -> Iterator[Measurement]:
    """Puts numbers of growing size and random sign in the place of the last weights' output, and takes the loss and its
    gradient. Then one number everywhere: the distance of a sample to itself is zero, where a root has no slope, and
    equal samples of a data set need not meet in this batch. What stands behind the weights, a softmax or a logarithm in
    the model or in the loss, is part of it."""
    batch, parts = head(sample(bench), SAMPLES), training(bench.fork())
    tail = Tail(parts.model, batch.inputs)
    if not tail.values or sum(v.numel() for v in tail.values) > NUMBERS or not _finite_data(batch):
        return
    if not all(bool(torch.isfinite(v).all()) for v in tail.values):
        return  # it is not the loss that broke
    yield Measurement("own_loss_finite", float(_holds(parts, batch, tail, tail.values)))
    alike = [torch.full_like(v, EQUAL) for v in tail.values]
    yield Measurement("equal_outputs_finite", float(_holds(parts, batch, tail, alike)))
    generator = torch.Generator().manual_seed(0)
    signs = [torch.randn(v.shape, generator=generator).sign().to(v) for v in tail.values]
    broken = (size for size in SIZES if not _holds(parts, batch, tail, [size * s for s in signs]))
    yield Measurement("loss_breaks_at", next(broken, math.inf))


def _holds(parts: Parts, batch: Batch, tail: Tail, values: list[Tensor]) -> bool:
    numbers = [v.clone().requires_grad_(True) for v in values]
    with torch.enable_grad():
        loss = scalar(parts.loss_fn(tail(numbers), batch.target))
        if not bool(torch.isfinite(loss)):
            return False
        slopes = torch.autograd.grad(loss, numbers, allow_unused=True) if loss.requires_grad else ()
    return all(g is None or bool(torch.isfinite(g).all()) for g in slopes)


def _finite_data(batch: Batch) -> bool:
    tensors = [t for t in (*batch.inputs, batch.target) if isinstance(t, Tensor) and t.is_floating_point()]
    return all(bool(torch.isfinite(t).all()) for t in tensors)
