"""The same network with a way around every layer that gives what has the shape of what it is given.

May not: train, judge, print, change the model it is handed.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.models.layers import put
from torchdoctor.probes.batch import Batch


class Skip(nn.Module):
    """x + layer(x)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        around: Tensor = x + self.layer(x)
        return around


def with_skips(model: nn.Module, batch: Batch) -> tuple[nn.Module, int]:
    """A copy in which each layer with a weight matrix that keeps the shape of its input is skipped around, and how many
    they are. Layers that ran more than once, and those inside others that were, stay as they are."""
    twin = copy.deepcopy(model)
    names = _square(twin, batch)
    for name in names:
        twin = put(twin, name, Skip(twin.get_submodule(name)))
    return twin, len(names)


def _square(model: nn.Module, batch: Batch) -> list[str]:
    calls: dict[str, int] = {}
    kept: set[str] = set()

    def look(name: str, inputs: Any, output: Any) -> None:
        calls[name] = calls.get(name, 0) + 1
        alike = isinstance(output, Tensor) and len(inputs) == 1 and isinstance(inputs[0], Tensor)
        if alike and inputs[0].shape == output.shape and inputs[0].dtype == output.dtype:
            kept.add(name)

    hooks = [
        layer.register_forward_hook(lambda m, i, out, n=name: look(n, i, out))
        for name, layer in model.named_modules()
        if name and any(p.ndim > 1 for p in layer.parameters(recurse=False))
    ]
    with hooked(hooks), torch.no_grad():
        model(*batch.inputs)
    return [name for name, count in calls.items() if name in kept and count == 1]
