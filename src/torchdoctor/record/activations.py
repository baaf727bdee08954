"""Statistics of what the layers put out, in a few fused passes over at most CAP values a layer.

Hooks are attached for one forward pass and taken off when it ends, so that steps that are not sampled, evaluation, and
a model that is copied or saved in between carry none. Activations made by functional calls (`F.relu(self.fc(x))`) leave
no module to hook: they are seen where the next layer with weights reads them, under the name "<producer>:activated".

May not: judge, keep an activation longer than its hook, draw random numbers, write to a tensor of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.utils import parametrize

CAP = 16_384  # values looked at per layer: a mean over so many is off by less than 1 % of the spread
MARGIN = 0.03  # of a layer's own range: nearer than this to its least or greatest value counts as saturated
UNITS = 1_024  # units kept apart per layer; of more, an evenly spaced choice


@dataclass
class Layer:
    """One layer in one forward pass: of each unit, as tensors (units,), over the samples and positions looked at.

    zeros: share of exact zeros. saturated: share of values near the ends of the layer's range. The properties are the
    same of the layer as a whole, as 0-d tensors.
    """

    means: Tensor
    variances: Tensor
    zeros: Tensor
    saturated: Tensor
    samples: int

    @property
    def mean(self) -> Tensor:
        return self.means.mean()

    @property
    def std(self) -> Tensor:
        """Within the units and between them: the variance of all values is the sum of the two."""
        return (self.variances.mean() + self.means.var(correction=0)).sqrt()


@dataclass
class Activations:
    """name -> statistics, in the order of execution; a layer that ran several times keeps its last pass."""

    layers: dict[str, Layer] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.layers)


class Hook:
    """A hook that does not follow a copy of the model: copied or saved, it is one that does nothing."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __call__(self, *args: Any) -> None:
        if not torch.compiler.is_compiling():
            self._call(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        # A function of the standard library that takes a hook's three arguments and returns None, so that a model saved
        # as a whole is loaded where torchdoctor is not installed.
        return getattr, (nullcontext(), "__exit__")


@contextmanager
def collecting(model: nn.Module) -> Iterator[Activations]:
    """Collect the statistics of every forward pass of `model` inside the block."""
    collector = Collector(model)
    collector.attach()
    try:
        yield collector.found
    finally:
        collector.detach()


class Collector:
    """Hooks on the leaves of a model, attached and detached at will."""

    def __init__(self, model: nn.Module, around: Callable[[Any], Any] = lambda call: call) -> None:
        """around: wraps every hook's call, to time it."""
        self._around = around
        self._leaves = _leaves(model)
        self._handles: list[Any] = []
        self.found = Activations()
        self._producer, self._axis = "", -1
        self._seen: dict[tuple[int, int], StorageWeakRef] = {}  # what passed a layer in this forward pass

    def attach(self) -> None:
        self.found = Activations()
        self._producer, self._axis = "", -1
        for name, module in self._leaves:
            hook = Hook(self._around(partial(self._see, name)))
            self._handles.append(module.register_forward_hook(hook))

    def detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._seen.clear()

    def close(self) -> None:
        """Never attach again."""
        self.detach()
        self._leaves = []

    @torch.no_grad()
    def _see(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        weight = next((p for p in module.parameters() if p.dim() >= 2), None)
        if weight is not None:
            entering = first_tensor(inputs)
            if entering is not None and self._is_new(entering) and self._producer:
                self._keep(f"{self._producer}:activated", entering)
            self._producer = name
            self._axis = 1 if weight.dim() >= 3 and not isinstance(module, nn.RNNBase) else -1
        out = first_tensor(output)
        # Before the first weights there are no units. And Flatten, Identity only pass on what came in.
        if out is not None and self._producer and self._is_new(out):
            self._keep(name, out)

    def _is_new(self, x: Tensor) -> bool:
        """Are these values seen for the first time in this forward pass? Remembers them."""
        if not measurable(x):
            return False
        # The weak reference gives the memory free but keeps its identity from being used again; views share it. An
        # in-place ReLU raises the version.
        storage = StorageWeakRef(x.untyped_storage())  # type: ignore[no-untyped-call]
        mark = (storage.cdata, -1 if x.is_inference() else x._version)
        new = mark not in self._seen
        self._seen[mark] = storage
        return new

    def _keep(self, name: str, x: Tensor) -> None:
        if x.dim() >= 2:
            self.found.layers[name] = statistics(x, self._axis if x.dim() > 2 else 1)


def statistics(x: Tensor, axis: int) -> Layer:
    """Of one layer's output; `axis` is the one that counts units: 1 for (N, C, H, W), -1 for (N, F) and (N, T, F).

    saturated: share of values within MARGIN of the layer's own range from its least or greatest value, exact zeros
    left out (those are ReLU's, and counted in zeros).
    """
    v, others = _thinned(x.detach(), axis)
    variances, means = torch.var_mean(v, others, correction=0)
    nonzero = v != 0
    low, high = torch.aminmax(v)
    near = MARGIN * (high - low)
    saturated = ((v <= low + near) | (v >= high - near)) & nonzero & (high > low)
    return Layer(means, variances, 1 - nonzero.float().mean(others), saturated.float().mean(others), len(x))


def _thinned(x: Tensor, axis: int) -> tuple[Tensor, list[int]]:
    """About CAP values at most, in float32, with the dimensions that are not the units'. All samples stay as long as
    possible, since a unit's behaviour differs most between samples: positions are thinned, evenly, before them."""
    if axis == 1 and x.dim() > 2:
        v = x[:, :: _stride(x.shape[1], UNITS)].flatten(2)  # (N, C, positions)
        per_position = v.shape[0] * v.shape[1]
        v = v[:, :, :: _stride(v.shape[2], max(1, CAP // per_position))]
        return v[:: _stride(v.numel(), CAP)].float(), [0, 2]
    v = x[..., :: _stride(x.shape[-1], UNITS)].reshape(-1, -(-x.shape[-1] // _stride(x.shape[-1], UNITS)))
    return v[:: _stride(v.numel(), CAP)].float(), [0]


def _stride(have: int, wanted: int) -> int:
    """The step that leaves at most `wanted` of `have`."""
    return max(1, -(-have // wanted))


def measurable(x: Tensor) -> bool:
    """Dense real numbers, at least one of them."""
    return x.is_floating_point() and x.layout is torch.strided and not x.is_nested and x.numel() > 0


def first_tensor(value: Any) -> Tensor | None:
    """The tensor itself, or the first in a tuple, list or dict (an LSTM gives (output, state))."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return next((t for v in value if (t := first_tensor(v)) is not None), None)
    return None


def _leaves(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that compute: those without children, and attention, which uses its child's weights directly. A
    weight that is itself computed (weight_norm) has modules of its own; those do not count, and its layer does."""
    parametrised = [m for m in model.modules() if parametrize.is_parametrized(m)]
    inside = {id(part) for m in parametrised for part in m.parametrizations.modules()}  # type: ignore[union-attr]
    return [(n, m) for n, m in model.named_modules() if n and id(m) not in inside and _computes(m)]


def _computes(module: nn.Module) -> bool:
    parts = [name for name, _ in module.named_children() if name != "parametrizations"]
    return not parts or isinstance(module, nn.MultiheadAttention)
