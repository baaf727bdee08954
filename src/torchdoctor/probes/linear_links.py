"""Are there layers between which nothing happens that one matrix could not do as well?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.probes.batch import Batch, first_tensor, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import head

SAMPLES = 8  # each is a witness by itself; more cost time and say the same
FAR = (1.0, 10.0)  # times the layer's own outputs: where an activation bends that is straight near zero
SAME = 1e-4  # of the values' size: rounding of float32 through a few layers


@probe(
    passes=2,
    measures={
        "linear_links": "count: pairs of dense layers between which everything is affine, so that one could stand for "
        "both; pairs meant to be narrow between the two are not counted",
        "dense_links": "count: pairs of dense layers of which the second reads nothing but what the first gave",
        "funnel_width": "units: of a dense layer that is narrower than its input and the output of the one behind it, "
        "which reads nothing else",
    },
)
def linear_links(bench: Bench) -> Iterator[Measurement | Fact]:
    """Puts other numbers in the place of a dense layer's output and looks at what the next one is fed: affine in them,
    or not? One forward pass, then two short ones for each pair that passes a test by gradients.

    A pair counts where the second layer is the only way on from the first, and where the first is at least as wide as
    its input or the second's output: then both together can do no more than one. In eval mode, on a few samples.
    """
    model, batch = bench.fork().model.eval(), head(bench.batches[0], SAMPLES)
    links, pairs = found_links(model, batch)
    yield Measurement("dense_links", float(len(pairs)))
    for a, b in pairs:
        if a.width < min(a.reads, b.width):
            yield Measurement("funnel_width", float(a.width), a.name)
    yield Measurement("linear_links", float(len(links)))
    yield Fact("linear_links", [list(names) for names in links])
    yield Fact("linear_throughout", bool(links) and _affine_model(model, batch, links[-1][1]))


def found_links(model: nn.Module, batch: Batch) -> tuple[list[tuple[str, str]], list[tuple[_Call, _Call]]]:
    """The names of each pair between which everything is affine, and all pairs of dense layers there are.

    Changes `model` (all its parameters take gradients); work on a copy, in eval mode.
    """
    for p in model.parameters():
        if p.is_floating_point():
            p.requires_grad_(True)
    pairs = list(_pairs(_calls(model, batch)))
    links = [(a, b) for a, b in pairs if _wide(a, b) and _slopes_agree(a, b) and _affine(model, batch, a, b)]
    return [(a.name, b.name) for a, b in links], pairs


class _Call:
    """A dense layer's one call: what went in, what came out, both with their graph."""

    def __init__(self, name: str, module: nn.Module, given: Tensor, output: Tensor) -> None:
        self.name, self.module, self.given, self.output = name, module, given, output
        self.maker = output.grad_fn  # now: what works in place will put its own node there

    @property
    def width(self) -> int:
        return int(self.output.shape[_axis(self.output, self.module)])

    @property
    def reads(self) -> int:
        return int(self.given.shape[_axis(self.given, self.module)])


def _calls(model: nn.Module, batch: Batch) -> list[_Call]:
    """Of layers that are called once, by one tensor, and mix all of its features: a grouped or lopsided convolution is
    half of a factorised one, and left out."""
    found: dict[str, list[_Call]] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, Tensor) and given and isinstance(given[0], Tensor):
                found.setdefault(name, []).append(_Call(name, module, given[0], output))

        return hook

    hooks = [m.register_forward_hook(keep(n)) for n, m in model.named_modules() if not any(m.children())]
    with hooked(hooks), torch.enable_grad():
        model(*batch.inputs)
    return [calls[0] for calls in found.values() if len(calls) == 1 and _dense(calls[0])]


def _dense(call: _Call) -> bool:
    weight = getattr(call.module, "weight", None)
    if not isinstance(weight, Tensor) or weight.ndim < 2 or not call.given.is_floating_point() or call.maker is None:
        return False
    square = len(set(weight.shape[2:])) <= 1
    return square and {call.width, call.reads} == {*weight.shape[:2]}


def _axis(x: Tensor, module: nn.Module) -> int:
    weight: Any = module.weight
    return x.ndim - weight.ndim + 1 if weight.ndim > 2 else x.ndim - 1


def _pairs(calls: list[_Call]) -> Iterator[tuple[_Call, _Call]]:
    """(a, b) where b's input comes from a alone, by a chain of nodes in which no ways meet."""
    makers = {call.maker: call for call in calls}
    for call in calls:
        node = call.given.grad_fn
        while node is not None and node not in makers:
            node = _only_input(node)
        if node is not None and node in makers:
            yield makers[node], call


def _only_input(node: Any) -> Any:
    """The one node before it that leads anywhere but to a parameter; None where there are more."""
    before = [n for n, _ in node.next_functions if n is not None and not hasattr(n, "variable")]
    return before[0] if len(before) == 1 else None


def _wide(a: _Call, b: _Call) -> bool:
    return a.width >= min(a.reads, b.width)


def _slopes_agree(a: _Call, b: _Call) -> bool:
    """The same gradient at every sample, as an affine way has it: one call, and enough to clear healthy layers."""
    seed = torch.randn(b.given[:1].shape, generator=torch.Generator().manual_seed(0)).to(b.given)
    (g,) = torch.autograd.grad(b.given, a.output, seed.expand_as(b.given), retain_graph=True, allow_unused=True)
    if g is None or not len(g):
        return False
    return bool(g.any()) and float((g - g[:1]).abs().max()) <= SAME * float(g.abs().max())


def _affine(model: nn.Module, batch: Batch, a: _Call, b: _Call) -> bool:
    """What b is fed when a gives v + w, and when it gives nothing, adds up to what it is fed when a gives v and w; and
    with b's input held, the output no longer depends on a. (v and -v would not do: a tanh is odd.)"""
    v, w = _drawn(a.output)

    def fed(values: Tensor) -> Tensor:
        return _fed(model, batch, a, b, values)

    with torch.no_grad():
        affine = all(_adds_up(fed, far * v, far * w) for far in FAR)
    return affine and _only_way(model, batch, a, b)


def _drawn(like: Tensor) -> tuple[Tensor, Tensor]:
    """Twice as many random numbers, of the size of these, the same each time."""
    generator = torch.Generator().manual_seed(1)
    size = float(like.detach().std()) or 1.0
    v, w = (size * torch.randn(like.shape, generator=generator).to(like) for _ in range(2))
    return v, w


def _adds_up(fn: Callable[[Tensor], Tensor], v: Tensor, w: Tensor) -> bool:
    both, none, one, other = fn(v + w), fn(torch.zeros_like(v)), fn(v), fn(w)
    scale = float(torch.stack([both.abs().max(), one.abs().max(), other.abs().max()]).max())
    return bool(scale > 0 and float((both + none - one - other).abs().max()) <= SAME * scale)


def _fed(model: nn.Module, batch: Batch, a: _Call, b: _Call, values: Tensor) -> Tensor:
    """b's input when a's output is `values`."""
    seen: list[Tensor] = []
    of_a = a.module.register_forward_hook(lambda *_: values.clone())
    with hooked([of_a, b.module.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))]):
        model(*batch.inputs)
    return seen[0]


def _only_way(model: nn.Module, batch: Batch, a: _Call, b: _Call) -> bool:
    root = a.output.detach().requires_grad_(True)
    of_a = a.module.register_forward_hook(lambda *_: root.clone())
    with hooked([of_a, b.module.register_forward_pre_hook(lambda _, given: (given[0].detach(), *given[1:]))]):
        outputs = [t.sum() for t in tensors_in(model(*batch.inputs)) if t.requires_grad]
    if not outputs:
        return True
    (g,) = torch.autograd.grad(torch.stack(outputs).sum(), root, allow_unused=True)
    return g is None


def _affine_model(model: nn.Module, batch: Batch, last: str) -> bool:
    """The same of the whole network, where it has one float input, up to its last dense layer: a sigmoid or softmax
    behind that bends the answers and not the border between them."""
    if len(batch.inputs) != 1 or not isinstance(batch.inputs[0], Tensor) or not batch.inputs[0].is_floating_point():
        return False
    if _calls(model, batch)[-1].name != last:
        return False
    seen: list[Tensor] = []

    def answer(x: Tensor) -> Tensor:
        model(x)
        return seen[-1]

    v, w = _drawn(batch.inputs[0])
    hook = model.get_submodule(last).register_forward_hook(lambda *given: seen.append(first_tensor(given[2])))
    with hooked([hook]), torch.no_grad():
        return all(_adds_up(answer, far * v, far * w) for far in FAR)
