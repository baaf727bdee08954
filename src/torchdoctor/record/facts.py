"""What is known of model and optimizer before any step: types, shapes, who holds which parameter. Plain JSON values.

May not: judge, change anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

# The classes torch itself documents as acting differently in train() and eval(). For a user's own layers the train/eval
# probe measures it; the watch, which may not run anything, goes by these.
_MODE_LAYERS = (
    nn.modules.dropout._DropoutNd,
    nn.modules.batchnorm._NormBase,
    nn.RReLU,
)


def describe(
    model: nn.Module, optimizer: Optimizer | Iterable[Optimizer] | None, loss_fn: Any = None
) -> dict[str, Any]:
    """The facts of the signal catalogue: modules, parameters, foreign_parameters, optimizer, mode_layers, device,
    loss_fn."""
    optimizers = _as_list(optimizer)
    held = Counter(id(p) for o in optimizers for g in o.param_groups for p in g["params"])
    own = {id(p) for p in model.parameters()} | (
        {id(p) for p in loss_fn.parameters()} if _is_module(loss_fn) else set()
    )
    return {
        "modules": {name: type(m).__name__ for name, m in model.named_modules()},
        "parameters": {
            name: {"shape": list(p.shape), "trainable": p.requires_grad, "in_optimizer": held[id(p)]}
            for name, p in model.named_parameters()
        },
        "foreign_parameters": sum(i not in own for i in held),
        "optimizer": settings(optimizers[0]) if optimizers else {"type": "none", "groups": []},
        "mode_layers": [name for name, m in model.named_modules() if is_mode_layer(m)],
        "device": device_of(model),
        "loss_fn": type(loss_fn).__name__ if _is_module(loss_fn) else getattr(loss_fn, "__name__", ""),
    }


def settings(optimizer: Optimizer) -> dict[str, Any]:
    """{"type": "SGD", "groups": [{"lr": 0.1, "momentum": 0.9, ...}]}: the numbers and flags of every group."""
    plain = (bool, int, float, str, type(None))
    groups = [
        {k: _number(v) for k, v in g.items() if k != "params" and isinstance(_number(v), plain)}
        for g in optimizer.param_groups
    ]
    return {"type": type(optimizer).__name__, "groups": groups}


def device_of(model: nn.Module) -> dict[str, Any]:
    """{"type": "cuda", "name": ..., "capability": [9, 0]} of the device that holds the first parameter; of others the
    type alone."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    if device.type != "cuda":
        return {"type": device.type}
    known = torch.cuda.get_device_properties(device)
    return {"type": "cuda", "name": known.name, "capability": [known.major, known.minor]}


def is_mode_layer(module: nn.Module) -> bool:
    """Does train() or eval() make a difference to this layer? A dropout of zero makes none."""
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return module.p > 0
    return isinstance(module, _MODE_LAYERS)


def is_compiled(model: nn.Module) -> bool:
    """True when torch.compile wraps the model or one of its modules: hooks inside would force new compilations."""
    return any(hasattr(m, "_orig_mod") or m._compiled_call_impl is not None for m in model.modules())


def _as_list(optimizer: Optimizer | Iterable[Optimizer] | None) -> list[Optimizer]:
    if optimizer is None:
        return []
    return [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)


def _is_module(thing: Any) -> bool:
    return isinstance(thing, nn.Module)


def _number(value: Any) -> Any:
    """A learning rate may be a 0-d tensor (capturable optimizers)."""
    return float(value) if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
