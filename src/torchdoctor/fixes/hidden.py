"""The hidden activations of a model, found by what they do: modules and plain function calls such as torch.sigmoid.

May not: train, judge, print, decide by the name of a function or class.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from torchdoctor.errors import BadParts
from torchdoctor.fixes.output import Call, Function, observed
from torchdoctor.fixes.wrapping import Cover
from torchdoctor.models.layers import put
from torchdoctor.probes.bench import Batch

FAR = 10.0  # where a saturating function has become flat: its slope there is below ...
FLAT = 0.02  # ... this share of its slope around zero; softsign, the slowest of them, has 0.01


class Swapped(Cover):
    """A model in which calls of some functions go to another module instead.

    keep: how many calls of a function are swapped before the one that makes the output, which stays.
    """

    def __init__(self, model: nn.Module, fns: Collection[Function], to: nn.Module, keep: dict[Function, int]) -> None:
        super().__init__(model)
        self.fns = tuple(fns)
        self.to_module = to
        self.keep = keep

    def forward(self, *inputs: Any, **named: Any) -> Any:
        with _Swap(self.fns, self.to_module, self.keep):
            return self.model(*inputs, **named)


class _Swap(TorchFunctionMode):
    def __init__(self, fns: Collection[Function], to: nn.Module, keep: dict[Function, int]) -> None:
        super().__init__()
        self.fns, self.to, self.left = fns, to, dict(keep)

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = Call(func, args, kwargs or {}, None)
        if func not in self.fns or call.source is None or self.left.get(func, 1) < 1:
            return func(*args, **call.kwargs)
        if func in self.left:
            self.left[func] -= 1
        return self.to(call.source)


def with_hidden(model: nn.Module, batch: Batch, to: nn.Module) -> nn.Module:
    """The model with `to` for every hidden activation that goes flat on both sides. Changes `model`; work on a copy.

    Raises BadParts when there is none.
    """
    seen = observed(model, batch)
    end = seen.maker(seen.last_activation) if seen.last_activation is not None else None
    modules = [e for e in seen.ran if e is not end and _is_saturating_module(e.module)]
    for e in modules:
        model = put(model, e.name, copy.deepcopy(to))
    seen = observed(model, batch) if modules else seen
    last = seen.last_activation
    calls = Counter(call.fn for call in seen.calls if is_saturating(call))
    keep = {last.fn: calls[last.fn] - 1} if last is not None and last.fn in calls else {}
    hidden = [fn for fn in calls if keep.get(fn, 1) > 0]
    if not modules and not hidden:
        raise BadParts("No hidden activation of the model goes flat on both sides, so there is none to replace.")
    return Swapped(model, hidden, to, keep) if hidden else model


def is_saturating(call: Call) -> bool:
    """Whether the call works on each number alone and is flat on both sides, as sigmoid and tanh are."""
    if call.source is None or not call.source.is_floating_point() or call.result.shape != call.source.shape:
        return False
    return _is_flat(call.again)


def _is_saturating_module(module: nn.Module) -> bool:
    return next(module.parameters(), None) is None and _is_flat(module)


def _is_flat(fn: Callable[[Tensor], Any]) -> bool:
    """By the slopes far left, around zero and far right, on a vector; changing one number may change no other."""
    x = torch.tensor([-FAR - 1, -FAR, -0.5, 0.5, FAR, FAR + 1])
    try:
        with torch.no_grad():
            y, alone = fn(x.clone()), fn(x[:1].clone())
    except (RuntimeError, TypeError, ValueError, IndexError):  # something that takes other shapes
        return False
    if not isinstance(y, Tensor) or y.shape != x.shape or not torch.allclose(y[:1], alone, atol=1e-6):
        return False
    left, middle, right = (y[1::2] - y[::2]).abs().tolist()
    return bool(middle > 0 and left < FLAT * middle and right < FLAT * middle)
