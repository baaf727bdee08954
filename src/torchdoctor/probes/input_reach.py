"""Which parts of the inputs reach the output at all?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.probes.batch import Batch, mapped, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import sample

SAMPLES = 64
OPENED = 0.05  # size of the numbers that take the place of zeros: about what layers are drawn with
FEW = 2  # samples that can exchange anything


@probe(
    passes=4,
    measures={
        "input_reach": "share: of an input's numbers that vary, those that can change the output for some sample; by "
        "the number of the input",
        "input_numbers": "count: numbers per sample that vary, by the number of the input",
    },
)
def input_reach(bench: Bench) -> Iterator[Measurement]:
    """The gradient of the output by its inputs, in double precision where any seems to be zero: what is zero for every
    sample is then exchanged between the samples, and counts as unseen when no output changes. Of whole numbers (words),
    which have no gradient, all but the first, all but the last, and either half of the positions are exchanged.

    In eval mode, and with small random numbers in the place of parameters that are all zero: a branch that begins with
    nothing will be opened by training. Says nothing where even other inputs altogether change nothing, where chance
    does, or of inputs that are the same for all samples.
    """
    model, batch = _opened(bench), sample(bench, SAMPLES)
    tensors = [(i, x) for i, x in enumerate(batch.inputs) if isinstance(x, Tensor) and x.ndim and len(x) == batch.size]
    if batch.size < FEW or len(tensors) != len(batch.inputs):
        return
    steady = _outputs(model, batch)
    everything = _outputs(model, Batch(tuple(x.roll(1, 0) for _, x in tensors), batch.target))
    if not _same(steady, _outputs(model, batch)) or _same(steady, everything):
        return
    for i, x in tensors:
        varies = (x != x[:1]).any(0)
        if not bool(varies.any()):
            continue
        unseen = [_without_gradient(bench, batch, i)] if x.is_floating_point() else _guesses(x)
        unseen = [u & varies for u in unseen]
        found = [u for u in unseen if bool(u.any()) and _same(steady, _outputs(model, _exchanged(batch, i, u)))]
        lost = max((int(u.sum()) for u in found), default=0)
        yield Measurement("input_reach", 1 - lost / int(varies.sum()), str(i))
        yield Measurement("input_numbers", float(varies.sum()), str(i))


@torch.no_grad()
def _opened(bench: Bench) -> nn.Module:
    model, generator = bench.fork().model.eval(), torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        if parameter.is_floating_point() and not bool(parameter.any()):
            parameter.copy_(OPENED * torch.randn(parameter.shape, generator=generator))
    return model


@torch.no_grad()
def _outputs(model: nn.Module, batch: Batch) -> list[Tensor]:
    return [t.clone() for t in tensors_in(model(*batch.inputs))]


def _same(a: list[Tensor], b: list[Tensor]) -> bool:
    """To the bit: what was not read cannot have changed anything, not even the rounding."""
    return all(torch.equal(x, y) for x, y in zip(a, b))


def _without_gradient(bench: Bench, batch: Batch, i: int) -> Tensor:
    """The numbers of input i whose gradient is zero for every sample, in eval and in training mode: a model may hide
    the same part of its inputs whenever it is judged, and any in training. What reaches back through hundreds of
    recurrent steps is zero in single precision and is not in double."""
    model = _opened(bench)
    unseen = _zero_gradient(model, batch, i)
    if bool(unseen.any()):
        unseen &= _zero_gradient(_opened(bench).train(), batch, i)
    if bool(unseen.any()):
        unseen &= _zero_gradient(model.double(), Batch(mapped(batch.inputs, _double), batch.target), i)
    return unseen


def _double(x: Tensor) -> Tensor:
    return x.double() if x.is_floating_point() else x


def _zero_gradient(model: nn.Module, batch: Batch, i: int) -> Tensor:
    x = batch.inputs[i].detach().clone().requires_grad_(True)
    inputs: tuple[Any, ...] = (*batch.inputs[:i], x, *batch.inputs[i + 1 :])
    with torch.enable_grad():
        outputs = [t for t in tensors_in(model(*inputs)) if t.requires_grad]
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(t.shape, generator=generator).to(t) for t in outputs]  # a sum over classes may be constant
    grad = torch.autograd.grad(outputs, x, weights, allow_unused=True)[0] if outputs else None
    return torch.ones_like(x[0], dtype=torch.bool) if grad is None else (grad == 0).all(0)


def _guesses(x: Tensor) -> list[Tensor]:
    """Masks of positions, along the first axis after the samples; all of them first."""
    whole = torch.ones_like(x[0], dtype=torch.bool)
    if x.ndim < 2 or x.shape[1] < 2:
        return [whole]
    masks = [whole]
    for kept in (slice(0, 1), slice(-1, None), slice(0, x.shape[1] // 2), slice(x.shape[1] // 2, None)):
        mask = whole.clone()
        mask[kept] = False
        masks.append(mask)
    return masks


def _exchanged(batch: Batch, i: int, where: Tensor) -> Batch:
    x = batch.inputs[i]
    mixed = torch.where(where, x.roll(1, 0), x)
    return Batch((*batch.inputs[:i], mixed, *batch.inputs[i + 1 :]), batch.target)
