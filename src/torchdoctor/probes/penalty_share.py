"""How much of the gradient comes from what the loss adds for the weights themselves?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from torchdoctor.probes.batch import mapped, scalar
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Measurement, probe


@probe(
    passes=2,
    measures={
        "penalty_gradient": "1: length of the gradient that the weights get past the outputs (a penalty on them), over "
        "that which they get through the outputs; 0 without a penalty",
    },
)
def penalty_share(bench: Bench) -> Iterator[Measurement]:
    """The loss of one batch with the outputs held: what still has a gradient is a penalty on the weights, be it L1, L2
    or anything else that a loss computes from them. What a loop adds outside of the loss is not seen."""
    parts, batch = training(bench.fork()), bench.batches[0]
    weights = [p for p in parts.model.parameters() if p.requires_grad]
    if not weights:
        return
    output = parts.model(*batch.inputs)
    whole = scalar(parts.loss_fn(output, batch.target))
    held = scalar(parts.loss_fn(mapped(output, Tensor.detach), batch.target))
    if not whole.requires_grad:
        return
    past = _gradients(held, weights)
    through = [a - b for a, b in zip(_gradients(whole, weights), past)]
    length = _length(through)
    if length > 0:
        yield Measurement("penalty_gradient", _length(past) / length)


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    if not loss.requires_grad:
        return [torch.zeros_like(p) for p in weights]
    found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g.to_dense() for p, g in zip(weights, found)]


def _length(gradients: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients))
