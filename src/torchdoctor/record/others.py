"""Which optimizers other than the watched one step the watched network's weights, and how many of them there are.

May not: judge, keep an optimizer alive, touch one.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook


class Others:
    """Told of every step of every optimizer by torch's own global hook, while attached."""

    def __init__(self, model: nn.Module, optimizer: Optimizer) -> None:
        self.made = self.steps = 0  # optimizers that stepped these weights, and their steps
        self._model, self._watched = model, optimizer
        self._seen: WeakSet[Optimizer] = WeakSet()  # one that is gone may leave its address to the next
        self._strangers: WeakSet[Optimizer] = WeakSet()  # of other networks: looked through once
        self._handle: Any = None

    def attach(self) -> None:
        self._handle = register_optimizer_step_post_hook(self._stepped)

    def detach(self) -> None:
        if self._handle is not None:
            self._handle.remove()

    def _stepped(self, optimizer: Optimizer, *_: Any) -> None:
        if optimizer is self._watched or optimizer in self._strangers:
            return
        if optimizer not in self._seen:
            if not self._holds_ours(optimizer):
                self._strangers.add(optimizer)
                return
            self._seen.add(optimizer)
            self.made += 1
        self.steps += 1

    def _holds_ours(self, optimizer: Optimizer) -> bool:
        ours = {id(p) for p in self._model.parameters()}
        return any(id(p) in ours for group in optimizer.param_groups for p in group["params"])
