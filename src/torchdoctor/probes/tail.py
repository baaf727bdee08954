"""The tail of a model: what it does to the output of its last weights, with those outputs put in by hand.

Activations after the last weights are seen whether they are modules or function calls, and so is everything else that
stands between the weights and the loss. Nothing before the last weights is computed again, so a call costs
milliseconds whatever the model costs.

May not: judge, print, be given a model that anything else will use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.probes.batch import tensors_in


class Tail:
    """values: what the last weights gave, detached. output: what the model made of them.

    Calling it with other values of the same shapes gives the output they lead to, differentiable. Random numbers start
    anew at each call, so that dropout drops the same and the values are the only thing that varies.
    """

    def __init__(self, model: nn.Module, inputs: tuple[Any, ...], seed: int = 0) -> None:
        """Cut `model` open, for good: its layers play back from now on. Raises whatever its forward raises.

        values is empty when the output does not depend on any weights, or on a matrix that stands in no layer and comes
        after the last of them: then what that matrix can make is not known from here.
        """
        for parameter in model.parameters():
            if parameter.is_floating_point():
                parameter.requires_grad_(True)  # a frozen layer is a layer all the same
        self._model, self._inputs, self._seed = model, inputs, seed
        torch.manual_seed(seed)
        self._calls, self.output = _played(model, inputs)
        nodes = {node: i for i, call in enumerate(self._calls) for node in call.nodes}
        nearest = _nearest(self.output, set(nodes))
        loose = any(t.ndim > 1 for t in (getattr(n, "variable", None) for n in nearest - set(nodes)) if t is not None)
        last = [] if loose else sorted({nodes[node] for node in nearest & set(nodes)})
        self._last = set(last)
        names = {module: name for name, module in model.named_modules()}
        self.last = [names[self._calls[i].module] for i in last]  # the layers with the last weights
        self.values = [t for i in last for t in tensors_in(self._calls[i].output) if t.is_floating_point()]

    def __call__(self, values: Sequence[Tensor]) -> Any:
        """The model's output when the last weights give these."""
        given = iter(values)
        queues: dict[nn.Module, list[Any]] = {}
        for i, call in enumerate(self._calls):
            # Clones, since an in-place activation would otherwise change what the next call plays back.
            put = (lambda t: next(given).clone()) if i in self._last else Tensor.clone
            queues.setdefault(call.module, []).append(_replaced(call.output, put))
        for module, queue in queues.items():
            object.__setattr__(module, "forward", _player(queue))
        torch.manual_seed(self._seed)
        return self._model(*self._inputs)


class _Call(NamedTuple):
    module: nn.Module
    output: Any  # detached copies
    nodes: list[Any]  # of the autograd graph, that made the output


def _played(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[list[_Call], Any]:
    """One forward pass, and the calls of layers with weights in it, in the order in which they ended."""
    calls: list[_Call] = []

    def keep(module: nn.Module, _: Any, output: Any) -> None:
        # Now, not later: a function that works in place will rewrite both the values and their node.
        nodes = [t.grad_fn for t in tensors_in(output) if t.grad_fn is not None]
        calls.append(_Call(module, _replaced(output, lambda t: t.detach().clone(), all_types=True), nodes))

    hooks = [m.register_forward_hook(keep) for m in model.modules() if next(m.parameters(), None) is not None]
    with hooked(hooks), torch.enable_grad():
        output = model(*inputs)
    ran = {call.module for call in calls}
    return [call for call in calls if not any(m in ran for m in _inside(call.module))], output


def _inside(module: nn.Module) -> Iterator[nn.Module]:
    """The modules within, but for those that only make its weights out of others (weight norm, spectral norm)."""
    for name, child in module.named_children():
        if name != "parametrizations":
            yield child
            yield from _inside(child)


def _nearest(output: Any, marked: set[Any]) -> set[Any]:
    """The marked nodes, and the leaves, that the output depends on by a way that meets no other marked one."""
    found, seen = set(), set()
    waiting = [t.grad_fn for t in tensors_in(output) if t.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in marked or not node.next_functions:
            found.add(node)
        if node not in marked:
            waiting += [n for n, _ in node.next_functions if n is not None]
    return found


def _player(queue: list[Any]) -> Callable[..., Any]:
    played = iter(queue)

    def forward(*_: Any, **__: Any) -> Any:
        for value in played:
            return value
        raise RuntimeError("a layer is called more often than before: the way through the model hangs on the values")

    return forward


def _replaced(value: Any, put: Any, all_types: bool = False) -> Any:
    """Nested tuples, lists and dicts with `put` applied to their floating-point tensors (or to all)."""
    if isinstance(value, Tensor):
        return put(value) if all_types or value.is_floating_point() else value
    if isinstance(value, (tuple, list)):
        items = [_replaced(v, put, all_types) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {k: _replaced(v, put, all_types) for k, v in value.items()}
    return value
