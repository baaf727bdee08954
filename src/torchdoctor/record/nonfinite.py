"""Where did the NaN come from? The forward passes of a step are repeated on the same batch, looking at every layer.

It runs once in a run, when the loss is first seen to be NaN or infinite and before the optimizer can spread it, so that
naming the source costs nothing while all is well.

May not: change the run: random numbers, buffers, attributes and gradients are put back.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from torchdoctor.record.activations import first_tensor
from torchdoctor.record.facts import is_compiled
from torchdoctor.record.moment import dense
from torchdoctor.record.signal import Columns

CALLS = 8  # forward passes of one step that can be repeated
TRIES = 3  # how often a source is looked for while a GradScaler steps over what is found


@dataclass(frozen=True)
class Source:
    """modules: the first one whose output is not finite, "input" or "loss_fn" for what lies outside the model.

    A value that the model makes between two layers, without a module, is named "<layer before it>:activated".
    parameters: those that are already not finite; then the update before was the culprit.
    """

    modules: tuple[str, ...]
    parameters: tuple[str, ...]


class Call(NamedTuple):
    """A forward pass as it was made, so that it can be made again."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    autocast: torch.dtype | None
    device_type: str

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        device = next((t.device.type for t in args if isinstance(t, Tensor)), "cpu")
        autocast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        return cls(args, kwargs, autocast, device)

    def again(self, model: nn.Module) -> None:
        # With gradients, as the first time: autocast remembers its casts, and one made without would cut the graph.
        with torch.autocast(self.device_type, dtype=self.autocast, enabled=self.autocast is not None):
            model(*self.args, **self.kwargs)


class Search:
    """Told of the first loss or gradient that is not finite; keeps what it finds until the step is known to count."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.calls: deque[Call] = deque(maxlen=CALLS)  # the forward passes since the last backward
        self.going_on = False  # the model is being called by the search, not by the loop
        self._loss_known = self._gradient_known = False
        self._tries = 0
        self.found: list[tuple[str, Columns]] = []

    def for_loss(self) -> None:
        """The loss is not finite. Raises what the model raises when it is called again."""
        if self._loss_known:
            return
        self._loss_known, self.going_on = True, True
        self._tries += 1
        try:
            source = find_source(self.model, list(self.calls))
        finally:
            self.going_on = False
        self._flag("nonfinite_module", source.modules)
        self._flag("nonfinite_parameter", source.parameters)

    def for_gradients(self, names: Sequence[str], parameters: Sequence[Tensor]) -> None:
        """Their norm is not finite, or too large for its type; of interest when the loss was finite."""
        if not (self._loss_known or self._gradient_known):
            bad = [n for n, p in zip(names, parameters) if (g := p.grad) is not None and not finite(dense(g))]
            self._gradient_known = bool(bad)
            self._flag("nonfinite_gradient", bad)

    def take(self, left_out: bool) -> list[tuple[str, Columns]]:
        """The flags of a step that has ended. Where a GradScaler left it out nothing came of it: then there are none,
        and the next one is looked at instead."""
        found, self.found = self.found, []
        if left_out:
            self._loss_known, self._gradient_known = self._tries >= TRIES, False
            return []
        return found

    def _flag(self, signal: str, subjects: Sequence[str]) -> None:
        if subjects:
            self.found.append((signal, Columns(tuple(subjects), [1.0] * len(subjects))))


def find_source(model: nn.Module, calls: Sequence[Call]) -> Source:
    """Names the first module in the order of execution whose output is not finite."""
    parameters = tuple(n for n, p in model.named_parameters() if not finite(p))
    if not calls:
        return Source((), parameters)
    if any(not _usable(call) for call in calls):
        return Source(("input",), parameters)
    return Source((_first_bad(model, calls),), parameters)


def _first_bad(model: nn.Module, calls: Iterable[Call]) -> str:
    bad: list[str] = []
    last = ""  # the layer that ended last

    def enter(_module: nn.Module, args: tuple[Any, ...]) -> None:
        entering = first_tensor(args)
        if not bad and entering is not None and not finite(entering):
            bad.append(f"{last}:activated" if last else "input")

    def leave(name: str, is_leaf: bool, output: Any) -> None:
        nonlocal last
        out = first_tensor(output)
        if not bad and out is not None and not finite(out):
            bad.append(name if is_leaf else f"{last}:activated" if last else "input")
        last = name if is_leaf else last

    with ExitStack() as stack:
        stack.enter_context(_put_back(model))
        for name, module in model.named_modules():
            is_leaf = next(module.children(), None) is None
            if is_leaf:
                stack.callback(module.register_forward_pre_hook(enter).remove)
            look = lambda _m, _i, out, name=name, is_leaf=is_leaf: leave(name, is_leaf, out)  # noqa: E731
            stack.callback(module.register_forward_hook(look).remove)
        for call in calls:
            last = ""
            call.again(model)
            if bad:
                return bad[0]
    return "loss_fn"


@contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    """Random numbers as before; the forward passes write to copies of the buffers and of the modules' attributes."""
    cuda = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    python, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - the one that a model draws from
    attributes = [(m, dict(vars(m)), dict(m._buffers)) for m in model.modules()]
    for module, _, buffers in attributes:
        # Copies, rather than copying back: backward would find a buffer that was written to, and refuse.
        module._buffers = {name: b if b is None else b.clone() for name, b in buffers.items()}
    try:
        with torch.enable_grad(), torch.random.fork_rng(devices=cuda), _uncompiled(model):
            yield
    finally:
        for module, own, _ in attributes:
            vars(module).clear()
            vars(module).update(own)
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002


def _uncompiled(model: nn.Module) -> Any:
    """Hooks are not seen inside of a compiled model, and must not make it compile anew."""
    return torch.compiler.set_stance("force_eager") if is_compiled(model) else nullcontext()


def _usable(call: Call) -> bool:
    """The first tensor of the call holds the data: no NaN, no infinity. Others may be masks, of which minus infinity is
    a part."""
    tensors = list(_tensors([*call.args, *call.kwargs.values()]))
    return all(finite(t) for t in tensors[:1]) and not any(bool(torch.isnan(t).any()) for t in tensors[1:])


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor) and value.is_floating_point():
        yield dense(value)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors(v)


def finite(x: Tensor) -> bool:
    return not x.is_floating_point() or bool(torch.isfinite(x).all())
