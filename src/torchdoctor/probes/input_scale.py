"""How large is what the first weights see, and would standardised inputs make their gradients another size?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, mapped
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.listen import entering
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import sample

LARGEST = 1e9  # a gradient that vanishes altogether counts as this factor


@probe(
    passes=3,
    measures={
        "entering_rms": "data: root mean square of the largest feature that enters a layer and no weight has touched",
        "entering_absmax": "data: largest size of what enters",
        "entering_shift": "1: largest |mean| / standard deviation among features with more than two values",
        "entering_spread": "1: largest over smallest standard deviation among those features, the outer twentieths "
        "left out",
        "entering_feature": "index: of the largest feature",
        "input_gain": "1: largest factor, up or down, by which standardised inputs change the gradient of a weight",
    },
)
def input_scale(bench: Bench) -> Iterator[Measurement]:
    """What the first layers are fed, and whether it matters.

    Only layers that see data no weight has touched: what is divided, looked up or normalised before is seen as it then
    is. `input_gain` near 1 says that the model does not mind: a normalisation behind the first layer undoes the scale.
    """
    parts = training(bench.fork())
    for p in parts.model.parameters():
        if p.is_floating_point():
            p.requires_grad_(True)  # so that what has a graph is what some weight has touched
    owners = {n: m for n, m in parts.model.named_modules() if any(p.ndim >= 2 for p in m.parameters(recurse=False))}
    seen: dict[str, list[Tensor]] = {}
    for batch in bench.batches:
        for name, x in entering(parts.model, batch).items():
            if name in owners and x.is_floating_point() and not x.requires_grad and x.ndim >= 2:
                seen.setdefault(name, []).append(_features(x, owners[name]))
    if not seen:
        return
    for name, pieces in seen.items():
        yield from _moments(name, torch.cat([p for p in pieces if p.shape[1] == pieces[0].shape[1]]))
    yield Measurement("input_gain", _gain(bench, parts, sample(bench)))


def _features(x: Tensor, owner: nn.Module) -> Tensor:
    """(N, ...) -> (values, features), float64: the axis a convolution mixes is the first after the samples."""
    axis = 1 if any(p.ndim > 2 for p in owner.parameters(recurse=False)) and x.ndim > 2 else -1
    return x.detach().double().movedim(axis, -1).flatten(0, -2)


def _moments(name: str, x: Tensor) -> Iterator[Measurement]:
    x = x[torch.isfinite(x).all(1)]
    if not x.numel():
        return
    rms, std = x.square().mean(0).sqrt(), x.std(0, correction=0)
    yield Measurement("entering_rms", float(rms.max()), name)
    yield Measurement("entering_feature", float(rms.argmax()), name)
    yield Measurement("entering_absmax", float(x.abs().max()), name)
    graded = _graded(x)
    if bool(graded.any()):
        yield Measurement("entering_shift", float((x.mean(0).abs() / std)[graded].max()), name)
        low, high = std[graded].quantile(torch.tensor([0.05, 0.95], dtype=std.dtype, device=std.device)).tolist()
        yield Measurement("entering_spread", high / low, name)


def _graded(x: Tensor) -> Tensor:
    """(features,): those with more than two values. A flag that is nearly always off is no badly scaled feature."""
    low, high = x.amin(0), x.amax(0)
    return (high > low) & ((x != low) & (x != high)).any(0)


def _gain(bench: Bench, parts: Parts, batch: Batch) -> float:
    as_given, standard = _lengths(bench, parts, batch), _lengths(bench, parts, _standardised(batch))
    factors = [_factor(a, b) for a, b in zip(as_given, standard) if a > 0 or b > 0]
    return max(factors, default=1.0)


def _factor(a: float, b: float) -> float:
    if not (math.isfinite(a) and math.isfinite(b)) or min(a, b) * LARGEST < max(a, b):
        return LARGEST
    return max(a / b, b / a)


def _lengths(bench: Bench, parts: Parts, batch: Batch) -> list[float]:
    """Of the gradients of all weights; with the same random numbers each time, for dropout."""
    with torch.random.fork_rng(devices=[bench.device] if bench.device.type == "cuda" else []):
        torch.manual_seed(0)
        weights = [p for p in parts.model.parameters() if p.ndim >= 2 and p.requires_grad]
        loss = bench.loss(parts, batch)
        grads = torch.autograd.grad(loss, weights, allow_unused=True)
    return [0.0 if g is None else float(torch.linalg.vector_norm(g.to_dense(), dtype=torch.float64)) for g in grads]


def _standardised(batch: Batch) -> Batch:
    return Batch(mapped(batch.inputs, _standard), batch.target)


def _standard(x: Tensor) -> Tensor:
    """Columns of a table, or the channels or steps of the shorter axis, by their own mean and standard deviation."""
    if not x.is_floating_point() or x.ndim < 2:
        return x
    axis = 1 if x.ndim > 2 and x.shape[1] <= x.shape[-1] else -1
    flat = x.double().movedim(axis, -1)
    rows = flat.reshape(-1, flat.shape[-1])
    std = rows.std(0, correction=0)
    change = _graded(rows) & (std > 0)
    scaled = (flat - rows.mean(0)) / std.clamp(min=1e-30)
    return torch.where(change, scaled, flat).movedim(-1, axis).to(x.dtype).contiguous()
