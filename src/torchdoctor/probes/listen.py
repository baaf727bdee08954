"""What goes into the modules of a model and what comes out, in one forward pass.

May not: judge, print, leave a hook behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.probes.batch import Batch, tensors_in


def entering(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Module name -> the first tensor it was called with, in the order of the calls; with its graph, if gradients are
    on. Of several calls the first."""
    found: dict[str, Tensor] = {}

    def look(name: str, arguments: Any) -> None:
        first = next(tensors_in(arguments), None)
        if first is not None:
            found.setdefault(name, first)

    hooks = [
        module.register_forward_pre_hook(lambda m, args, kwargs, n=name: look(n, (args, kwargs)), with_kwargs=True)
        for name, module in model.named_modules()
    ]
    with hooked(hooks):
        model(*batch.inputs)
    return found


@torch.no_grad()
def leaving(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Module name -> the first tensor it returned, (N, ...), copied; of several calls the first."""
    found: dict[str, Tensor] = {}

    def look(name: str, output: Any) -> None:
        first = next(tensors_in(output), None)
        if first is not None and first.ndim >= 2 and name not in found:
            found[name] = first.clone()  # an activation in place would change it later

    hooks = [m.register_forward_hook(lambda m, i, out, n=name: look(n, out)) for name, m in model.named_modules()]
    with hooked(hooks):
        model(*batch.inputs)
    return found


@contextmanager
def running(model: nn.Module) -> Iterator[list[str]]:
    """The names of the modules whose forward() is running, the innermost last, for as long as the block runs. "" is the
    model itself; a forward() that raises leaves its name there."""
    names: list[str] = []

    def end(module: nn.Module, given: Any, output: Any) -> None:
        names.pop()

    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_pre_hook(lambda m, i, n=name: names.append(n)))
        hooks.append(module.register_forward_hook(end))
    with hooked(hooks):
        yield names
