"""Does the output hang on weights that model.parameters() does not list?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.probes.batch import Batch, tensors_in
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Fact, Measurement, probe

NAMED = 20  # of them at most
DEPTH = 4  # attribute -> list -> module -> parameter


@probe(
    passes=2,
    measures={
        "unlisted_weights": "count: tensors that need a gradient, make the output, and are no parameter of the model",
        "unlisted_outside": "count: of these, the ones that are in no optimizer either",
        "unlisted_redrawn": "count: of these, the ones that are made anew in every forward pass",
    },
)
def unlisted_weights(bench: Bench) -> Iterator[Measurement | Fact]:
    """The leaves of the output's graph, less the model's parameters and the inputs.

    Of the output, not of the loss: another network in a loss has an optimizer of its own. A leaf that is found in no
    attribute of the model and changes with the samples is data that somebody differentiates by; one that does not is a
    weight that is drawn anew in each pass.
    """
    parts = training(bench.fork())
    first, second = bench.batches[0], bench.batches[-1]
    leaves = unlisted(parts.model, first)
    names = _names(parts.model)
    held = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    order = {i: place for place, i in enumerate(names)}
    kept = sorted((t for t in leaves if id(t) in names), key=lambda t: order[id(t)])
    anew = _constant([t for t in leaves if id(t) not in names], unlisted(parts.model, second), names, first.size)
    found = [*kept, *anew]
    yield Measurement("unlisted_weights", float(len(found)))
    yield Measurement("unlisted_outside", float(sum(id(t) not in held for t in found)))
    yield Measurement("unlisted_redrawn", float(len(anew)))
    told = [{"name": names.get(id(t), ""), "shape": list(t.shape)} for t in found[:NAMED]]
    yield Fact("unlisted_weights", told)


def unlisted(model: nn.Module, batch: Batch) -> list[Tensor]:
    """Leaves that are neither parameters nor inputs, in the order met from the output on; the same random numbers."""
    torch.manual_seed(0)
    listed = {id(p) for p in model.parameters()} | {id(t) for t in tensors_in(batch.inputs)}
    with torch.enable_grad():
        output = model(*batch.inputs)
    found: dict[int, Tensor] = {}
    seen: set[Any] = set()
    waiting = [t.grad_fn for t in tensors_in(output) if t.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor) and id(leaf) not in listed:
            found[id(leaf)] = leaf
        waiting += [n for n, _ in node.next_functions if n is not None]
    return list(found.values())


def _constant(leaves: Sequence[Tensor], again: Sequence[Tensor], names: dict[int, str], size: int) -> list[Tensor]:
    """Those that a pass over other samples makes the same again: weights, not data."""
    others = [t for t in again if id(t) not in names]
    return [
        t for t in leaves
        if t.ndim > 1 and len(t) != size and any(t.shape == o.shape and torch.equal(t, o) for o in others)
    ]  # fmt: skip


def _names(model: nn.Module) -> dict[int, str]:
    """id of a tensor -> how it is reached from the model through attributes, lists and dicts that no module lists."""
    names: dict[int, str] = {}
    for path, module in model.named_modules():
        for attribute, value in vars(module).items():
            if not attribute.startswith("_"):
                _look(value, f"{path}.{attribute}" if path else attribute, names, DEPTH)
    return names


def _look(value: Any, path: str, names: dict[int, str], depth: int) -> None:
    if isinstance(value, Tensor):
        names.setdefault(id(value), path)
    elif isinstance(value, nn.Module):
        for name, p in value.named_parameters():
            names.setdefault(id(p), f"{path}.{name}")
    elif depth and isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _look(item, f"{path}[{i}]", names, depth - 1)
    elif depth and isinstance(value, dict):
        for key, item in value.items():
            _look(item, f"{path}[{key!r}]", names, depth - 1)
