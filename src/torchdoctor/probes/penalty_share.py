"""How much of the gradient comes from what the loss adds for the weights themselves?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, mapped, scalar
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.terms import terms


@probe(
    passes=4,
    measures={
        "penalty_gradient": "1: length of the gradient that the weights get past the outputs (a penalty on them), over "
        "that which they get through the outputs; 0 without a penalty",
        "aimless_gradient": "1: length of the gradient of the terms of the loss that do not look at the targets, over "
        "that of those that do; only of a loss that adds up both",
    },
)
def penalty_share(bench: Bench) -> Iterator[Measurement]:
    """The loss of one batch with the outputs held: what still has a gradient is a penalty on the weights, be it L1, L2
    or anything else that a loss computes from them. What a loop adds outside of the loss is not seen.

    Then the terms that the loss adds up, each by itself: one that stays the same when samples exchange their targets
    does not look at them, as the divergence of a variational autoencoder, and is a penalty on the outputs.
    """
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
    apart = _by_terms(parts, batch, output, weights)
    if apart is not None:
        yield Measurement("aimless_gradient", apart)


def _by_terms(parts: Parts, batch: Batch, output: Any, weights: Sequence[Tensor]) -> float | None:
    """None where no term looks at the targets, or all do."""
    exchanged = mapped(batch.target, lambda t: t.roll(1, 0) if t.ndim else t)
    found = terms(lambda: scalar(parts.loss_fn(output, batch.target)))
    others = terms(lambda: scalar(parts.loss_fn(output, exchanged)))
    if len(found) < 2 or len(others) != len(found):
        return None
    pulls = [(float(t.scalar), t.factor * _length(_gradients(t.scalar, weights))) for t in found]
    again = [(float(t.scalar), t.factor * _length(_gradients(t.scalar, weights))) for t in others]
    aims = [
        a != b for a, b in zip(pulls, again)
    ]  # by the pull too: among large targets the value may round to the same
    if all(aims) or not any(aims):
        return None
    aimless, aimed = (sum(pull for (_, pull), a in zip(pulls, aims) if a is aim) for aim in (False, True))
    return aimless / aimed if aimed > 0 else None


def _gradients(loss: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    if not loss.requires_grad:
        return [torch.zeros_like(p) for p in weights]
    found = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g.to_dense() for p, g in zip(weights, found)]


def _length(gradients: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients))
