"""Parts: what an experiment builds and a loop trains. Surgery returns new Parts; nothing is changed in place.

May not: train, judge, read files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

Loader = Iterable[Any]  # gives (inputs, target) or (input_1, ..., input_n, target) each time it is iterated


@dataclass(frozen=True)
class Parts:
    """model(*inputs) -> output; loss_fn(output, target) -> scalar; train and val: loaders that can be iterated again
    and again. scheduler: stepped once per epoch, or None."""

    model: nn.Module
    loss_fn: Callable[[Any, Any], Tensor]
    optimizer: Optimizer
    train: Loader
    val: Loader | None = None
    scheduler: Any = None

    def with_model(self, model: nn.Module) -> Parts:
        """The same with another model and a new optimizer of the same kind and settings over its parameters."""
        return replace(self, model=model, optimizer=rebuilt(self.optimizer, model), scheduler=None)

    def with_optimizer(self, **settings: Any) -> Parts:
        """The same with other optimizer settings, for example lr=0.01, in every group; state starts anew."""
        return replace(self, optimizer=rebuilt(self.optimizer, self.model, settings), scheduler=None)


def rebuilt(optimizer: Optimizer, model: nn.Module, settings: Mapping[str, Any] | None = None) -> Optimizer:
    """A new optimizer of the same class and defaults over the trainable parameters of `model`.

    Parameters that sat in a group with settings of its own keep them; new ones get the first group's.
    """
    first = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    own = {id(p): g for g in optimizer.param_groups[1:] for p in g["params"]}
    groups: dict[int, dict[str, Any]] = {}
    for p in model.parameters():
        if p.requires_grad:
            source = own.get(id(p))
            base = first if source is None else {k: v for k, v in source.items() if k != "params"}
            group = groups.setdefault(id(source) if source else 0, {**base, **(settings or {}), "params": []})
            group["params"].append(p)
    known = optimizer.defaults
    arguments = {k: v for k, v in {**first, **(settings or {})}.items() if k in known}
    return type(optimizer)(list(groups.values()), **arguments)
