"""The measured time of each layer of a model.

May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from torchdoctor.data.batch import mapped
from torchdoctor.evaluate.interval import Floats
from torchdoctor.models.hooks import hooked
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating

TIMED = 7  # passes, after two to warm up


@dataclass(frozen=True)
class LayerTime:
    """milliseconds: median forward time of the layer on one batch. share: of the sum over layers, 0..1."""

    layer: str
    type: str
    milliseconds: float
    share: float


def layer_times(model: nn.Module, inputs: tuple[Any, ...]) -> tuple[LayerTime, ...]:
    """Median over a few passes in eval mode, in the order of execution; the clock waits for the device."""
    device = device_of(model)
    spent: dict[str, list[float]] = {}
    types = {name: type(m).__name__ for name, m in innermost(model).items()}
    with evaluating(model), _timed(model, device, spent):
        placed = mapped(inputs, lambda t: t.to(device))
        for _ in range(TIMED + 2):
            model(*placed)
    middle = {name: float(np.median(_by_pass(seconds))) for name, seconds in spent.items()}
    whole = sum(middle.values()) or 1.0
    return tuple(LayerTime(name, types[name], 1000 * s, s / whole) for name, s in middle.items())


def innermost(model: nn.Module) -> dict[str, nn.Module]:
    """{name: module} of the modules that hold no others; a model that is a single layer is called "model"."""
    return {name or "model": m for name, m in model.named_modules() if not list(m.children())}


@contextmanager
def _timed(model: nn.Module, device: torch.device, spent: dict[str, list[float]]) -> Iterator[None]:
    """Inside, every innermost module adds the seconds of each call to `spent`."""
    begun: dict[str, float] = {}

    def start(name: str) -> None:
        _wait(device)
        begun[name] = perf_counter()

    def stop(name: str) -> None:
        _wait(device)
        spent.setdefault(name, []).append(perf_counter() - begun[name])

    handles = []
    for name, module in innermost(model).items():
        handles.append(module.register_forward_pre_hook(lambda _m, _i, name=name: start(name)))
        handles.append(module.register_forward_hook(lambda _m, _i, _o, name=name: stop(name)))
    with hooked(handles):
        yield


def _by_pass(seconds: list[float]) -> Floats:
    """Seconds of a layer in each pass but the first two; one that runs k times a pass is added up."""
    by_pass = np.asarray(seconds, np.float64).reshape(TIMED + 2, -1)
    return np.asarray(by_pass[2:].sum(1))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
