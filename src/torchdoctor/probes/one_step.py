"""One real step: which parameters get a gradient, which move, which only seem to learn; beside a fresh twin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.random_matrix import structure
from torchdoctor.record.activations import collecting

BATCHES = 3  # looked at for gradients: an expert or a class that one batch leaves out is in another
NOISE = 1e-5  # relative change of a loss below which it is the device's rounding
PERTURBED = 64  # parameters tried one by one at most; a forward pass each

Gradients = dict[str, Tensor]


@probe(
    passes=4,
    measures={
        "has_grad": "0/1: the trainable parameter got a gradient from at least one batch",
        "param_grad_norm": "loss / weight: length of the parameter's gradient",
        "reaches_loss": "0/1: changing a trainable parameter that got no gradient changes the loss",
        "weight_structure": "1: largest singular value over that of the same numbers shuffled, of parameters that are "
        "frozen or in no optimizer; 1 for an untrained matrix",
        "update_ratio": "1: length of the step over length of the weights",
        "weight_norm": "weight: length of the parameter before the step",
        "start_activation_mean": "1: of a layer's outputs before any step",
        "start_activation_std": "1: of a layer's outputs before any step",
        "start_saturated_share": "0..1: of a layer's outputs near the ends of their own range",
        "start_dead_share": "0..1: units that are zero for every sample of all batches",
        "fresh_activation_std": "1: the same of a twin with freshly drawn weights",
        "fresh_param_grad_norm": "loss / weight: the same of that twin",
    },
)
def one_step(bench: Bench) -> Iterator[Measurement]:
    """A step of the user's own optimizer on a fork, in training mode, and what each parameter had of it."""
    parts = training(bench.fork())
    yield from _activations(bench, parts, ("mean", "std", "saturated", "dead"))
    gradients = [_gradients(bench, parts, batch) for batch in bench.batches[:BATCHES]]
    silent = [n for n, p in parts.model.named_parameters() if p.requires_grad and all(n not in g for g in gradients)]
    for name, p in parts.model.named_parameters():
        yield Measurement("weight_norm", _norm(p), name)
        if p.requires_grad:
            yield Measurement("has_grad", float(name not in silent), name)
        if name in gradients[0]:
            yield Measurement("param_grad_norm", _norm(gradients[0][name]), name)
    yield from _reaching(bench, parts, silent)
    yield from _structures(parts)
    yield from _moved(bench, parts)
    yield from _fresh(bench)


def _gradients(bench: Bench, parts: Parts, batch: Batch) -> Gradients:
    """Of every parameter that got one; empty where the loss depends on none."""
    parts.model.zero_grad(set_to_none=True)
    loss = bench.loss(parts, batch)
    if not loss.requires_grad:
        return {}
    loss.backward()  # type: ignore[no-untyped-call]
    return {n: p.grad.detach().clone() for n, p in parts.model.named_parameters() if p.grad is not None}


def _reaching(bench: Bench, parts: Parts, silent: list[str]) -> Iterator[Measurement]:
    """Without a gradient, does the parameter matter all the same? Then something between it and the loss cuts."""
    parameters = dict(parts.model.named_parameters())
    batches = bench.batches[:2]
    if silent:
        before = _losses(bench, parts, batches)
    for name in silent[:PERTURBED]:
        with torch.no_grad():
            p = parameters[name]
            kept = p.detach().clone()
            size = float(p.float().std()) if p.numel() > 1 else 0.0
            p.add_((size or 1.0) * torch.randn_like(p))
            after = _losses(bench, parts, batches)
            p.copy_(kept)
        changed = any(abs(a - b) > NOISE * abs(b) or (a != a) != (b != b) for a, b in zip(after, before))
        yield Measurement("reaches_loss", float(changed), name)


@torch.no_grad()
def _losses(bench: Bench, parts: Parts, batches: list[Batch]) -> list[float]:
    """With the same random numbers each time, so that dropout changes nothing between two calls."""
    with torch.random.fork_rng(devices=[bench.device] if bench.device.type == "cuda" else []):
        torch.manual_seed(0)
        return [bench.loss(parts, batch).item() for batch in batches]


def _structures(parts: Parts) -> Iterator[Measurement]:
    held = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    idle = [(n, p) for n, p in parts.model.named_parameters() if not p.requires_grad or id(p) not in held]
    for name, p in idle[:PERTURBED]:
        if (value := structure(p)) is not None:
            yield Measurement("weight_structure", value, name)


def _moved(bench: Bench, parts: Parts) -> Iterator[Measurement]:
    """One step on the first batch, as the user's optimizer makes it."""
    before = {n: p.detach().clone() for n, p in parts.model.named_parameters()}
    bench.step(parts, bench.batches[0])
    for name, p in parts.model.named_parameters():
        if p.requires_grad:
            length = max(_norm(before[name]), 1e-12)
            yield Measurement("update_ratio", _norm(p.detach() - before[name]) / length, name)


def _activations(bench: Bench, parts: Parts, what: tuple[str, ...], prefix: str = "start") -> Iterator[Measurement]:
    """Layer statistics of the first batch; a unit is dead when it is zero in all batches."""
    zero: dict[str, Tensor] = {}
    first: dict[str, Any] = {}
    for batch in bench.batches:
        with torch.no_grad(), collecting(parts.model) as found:
            parts.model(*batch.inputs)
        for name, layer in found.layers.items():
            first.setdefault(name, layer)
            always = layer.zeros >= 1
            zero[name] = zero[name] & always if name in zero and zero[name].shape == always.shape else always
    for name, layer in first.items():
        values = {
            "mean": layer.mean,
            "std": layer.std,
            "saturated": layer.saturated.mean(),
            "dead": zero[name].double().mean(),
        }
        for key in what:
            signal = f"{prefix}_activation_{key}" if key in ("mean", "std") else f"{prefix}_{key}_share"
            yield Measurement(signal, float(values[key]), name)


def _fresh(bench: Bench) -> Iterator[Measurement]:
    twin = bench.fresh()
    if twin is None:
        return
    training(twin)
    yield from _activations(bench, twin, ("std",), "fresh")
    for name, gradient in _gradients(bench, twin, bench.batches[0]).items():
        yield Measurement("fresh_param_grad_norm", _norm(gradient), name)


def _norm(x: Tensor) -> float:
    x = x.detach()
    return float(torch.linalg.vector_norm(x.coalesce().values() if x.is_sparse else x, dtype=torch.float64))
