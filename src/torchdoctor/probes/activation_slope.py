"""How much of the gradient do the hidden activations let through?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, tensors_in
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import sample

Node = Any  # of the autograd graph


@probe(
    passes=3,
    measures={
        "activation_slope": "1: root mean square slope of what stands between this layer's output and the next layer "
        "with weights, where it is not flat; 1 for a ReLU, 0.25 for a sigmoid, near 0 for what saturates",
        "fresh_activation_slope": "1: the same of a twin with freshly drawn weights",
        "output_slope": "1: the same of what stands between the last layer and the model's output",
    },
)
def activation_slope(bench: Bench) -> Iterator[Measurement]:
    """One backward pass; of every activation between two layers with weights, the gradient that leaves it over the one
    that enters, be it a module or a function call.

    Only where the way from one layer to the next is a chain: gates and skip connections, where ways meet, are left out.
    What changes the number of values (pooling) does not count. Places with no gradient at all do not either, so that a
    ReLU that is off half of the time has slope 1.
    """
    yield from _slopes(bench, bench.fork(), "activation_slope")
    twin = bench.fresh()
    if twin is not None:
        yield from _slopes(bench, twin, "fresh_activation_slope")


def _slopes(bench: Bench, parts: Parts, signal: str) -> Iterator[Measurement]:
    for p in training(parts).model.parameters():
        if p.is_floating_point():
            p.requires_grad_(True)
    chains, loss = _chains(bench, parts, sample(bench))
    seen: dict[Node, Tensor] = {}

    def keep(node: Node, gradients: tuple[Tensor | None, ...]) -> None:
        if gradients[0] is not None:
            seen[node] = gradients[0]

    for node in {n for chain in chains.values() for n in chain}:
        node.register_prehook(partial(keep, node))
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
    for name, chain in chains.items():
        slope = _slope([seen[n] for n in chain if n in seen])
        if slope is not None and (name or signal == "activation_slope"):
            yield Measurement(signal if name else "output_slope", slope, name)


def _chains(bench: Bench, parts: Parts, batch: Batch) -> tuple[dict[str, list[Node]], Tensor]:
    """Layer -> the nodes from what the next layer reads back to the layer's own output, both included. "" -> from the
    model's output back to the last layer's."""
    makers: dict[Node, str] = {}
    readings: list[Node] = []
    outputs: list[Node] = []

    def made(name: str, output: Any) -> None:
        for t in tensors_in(output):
            if t.grad_fn is not None:
                makers.setdefault(t.grad_fn, name)  # now: an activation in place will put its own node there

    def read(values: Any, into: list[Node]) -> None:
        into.extend(t.grad_fn for t in tensors_in(values) if t.grad_fn is not None)

    layers = [(n, m) for n, m in parts.model.named_modules() if _has_weights(m)]
    hooks = [m.register_forward_hook(lambda m, i, o, n=n: made(n, o)) for n, m in layers]
    hooks += [m.register_forward_pre_hook(lambda m, i: read(i, readings)) for _, m in layers]
    hooks.append(parts.model.register_forward_hook(lambda m, i, o: read(o, outputs)))
    with hooked(hooks):
        loss = bench.loss(parts, batch)
    found: dict[str, list[Node]] = {}
    for node in (*readings, *outputs[:1]):
        chain = _back(node, makers)
        if len(chain) > 1:
            found.setdefault("" if node in outputs else makers[chain[-1]], chain)
    return found, loss


def _has_weights(module: nn.Module) -> bool:
    """A normalisation with weights counts: it undoes the scale before it, which is not the activation's doing."""
    return next(module.parameters(recurse=False), None) is not None


def _back(node: Node, makers: dict[Node, str]) -> list[Node]:
    """The nodes back to the one a layer made, in a chain; the two ends alone where ways part and meet again in between
    (x · sigmoid(x)); empty where more than one layer has a part in it."""
    chain, plain = [node], True
    ends, waiting, seen = set(), [node], set[Node]()
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue  # ways that part and meet again are as many as two to the power of how often they do
        seen.add(at)
        if at in makers:
            ends.add(at)
            continue
        before = [n for n, _ in at.next_functions if n is not None and n.next_functions]  # the others are parameters
        plain = plain and len(before) == 1
        chain += before
        waiting += before
    if len(ends) != 1:
        return []
    return chain if plain else [node, *ends]


def _slope(gradients: list[Tensor]) -> float | None:
    """Of the steps that keep the number of values: gradient out over gradient in, where some comes out."""
    slope, steps = 1.0, 0
    for entering, leaving in pairwise(gradients):
        if entering.numel() != leaving.numel() or entering.shape != leaving.shape:
            continue
        passed = leaving != 0
        size = float(entering[passed].double().square().sum())
        if size > 0:
            slope, steps = slope * (float(leaving[passed].double().square().sum()) / size) ** 0.5, steps + 1
    return slope if steps else None
