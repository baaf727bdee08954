"""How an optimizer is stepped: most take the gradients that are there, LBFGS asks for the loss again and again.

May not: compute a loss, clip, count steps.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from torchdoctor.errors import BadParts


class Shown(NamedTuple):
    """One batch, as the network answered it."""

    output: Any
    target: Any
    loss: Tensor


class Closure:
    """Calls `backward`, which leaves gradients and gives the batches of the step. first: what its first call gave, at
    the weights before the step, as of any other optimizer's step."""

    def __init__(self, backward: Callable[[], list[Shown]]) -> None:
        self._backward = backward
        self.first: list[Shown] = []

    def __call__(self) -> Tensor:
        """The mean loss over the batches."""
        shown = self._backward()
        self.first = self.first or shown
        return mean_loss(shown)


def mean_loss(shown: list[Shown]) -> Tensor:
    """Detached; one number."""
    return shown[0].loss if len(shown) == 1 else torch.stack([s.loss for s in shown]).mean()


def step(optimizer: Optimizer, closure: Closure, scaler: torch.amp.GradScaler) -> None:
    """One optimizer step from the gradients that the closure leaves."""
    if wants_closure(optimizer):
        optimizer.step(closure)  # type: ignore[arg-type]  # torch's float is a tensor everywhere inside of it
    else:
        closure()
        scaler.step(optimizer)
        scaler.update()


def wants_closure(optimizer: Optimizer) -> bool:
    """True when its step cannot be called without one."""
    return _requires_closure(type(optimizer).step)


@cache  # asked in every step, and reading a signature takes as long as a small layer
def _requires_closure(method: Callable[..., Any]) -> bool:
    closure = inspect.signature(method).parameters.get("closure")
    return closure is not None and closure.default is closure.empty


def check_closure(optimizer: Optimizer, *, scaled: bool, processes: int = 1) -> None:
    """Raises BadParts for an optimizer that computes gradients itself where that cannot be right."""
    if not wants_closure(optimizer):
        return
    kind = type(optimizer).__name__
    if scaled:
        raise BadParts(
            f"{kind} computes its gradients itself, and in fp16 they would have to be scaled. Use bf16 or fp32."
        )
    if processes > 1:
        raise BadParts(
            f"{kind} goes by the loss, of which each of {processes} processes sees its share. Use one process."
        )
