"""Modules that stand around a model or a loss. They are saved with the weights, so that a cured net needs no notes.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Cover(nn.Module):
    """A module around a model. What it does not have itself it takes from the model, so that a loop may go on calling
    `model.head` or `model.encode(x)`; such calls see the model as it is inside."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name in ("model", "_modules"):  # not there yet, while a copy of this is being made
                raise
            return getattr(self.model, name)


class Around(Cover):
    """A model with something done to its float inputs before it, or to its output after it."""

    def __init__(
        self, model: nn.Module, before: Sequence[nn.Module] | None = None, after: nn.Module | None = None
    ) -> None:
        """before: one module for each float input, in their order."""
        super().__init__(model)
        self.before = nn.ModuleList(before) if before is not None else None
        self.after = after

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if self.before is not None:
            ready = iter(self.before)
            inputs = tuple(next(ready)(x) if _is_float(x) else x for x in inputs)
        output = self.model(*inputs, **named)
        return output if self.after is None else self.after(output)


class Standardize(nn.Module):
    """(x - mean) / std, by statistics of the training data. Buffers: they are saved and moved with the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class Rescale(Standardize):
    """x * std + mean: from a net that speaks in standard units back to the units of the data."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.std + self.mean


class StandardizedLoss(nn.Module):
    """A loss measured in standard units, of an output and a target that are both in the units of the data."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor], mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.loss_fn = loss_fn
        self.scale = Standardize(mean, std)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.loss_fn(self.scale(output), self.scale(target))


class MatchedLoss(nn.Module):
    """A loss that sees the target in the shape of the output, so that nothing is broadcast."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor]) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.loss_fn(output, target.reshape(output.shape))


class NegatedLoss(nn.Module):
    """-loss(output, target)."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor]) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Any, target: Any) -> Tensor:
        return -self.loss_fn(output, target)


class AveragedLoss(nn.Module):
    """A loss that is a sum over the samples, divided by their number, which is the length of the target."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor]) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Any, target: Any) -> Tensor:
        return self.loss_fn(output, target) / len(target)


class BinaryLoss(nn.Module):
    """A loss of raw scores against 0/1 (or -1/1) targets of any type and shape with as many numbers."""

    def __init__(self, loss_fn: nn.Module) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        is_positive = torch.where(target > 0, 1.0, 0.0) if bool((target < 0).any()) else target
        loss: Tensor = self.loss_fn(output, is_positive.reshape(output.shape).to(output.dtype))
        return loss


class ClassLoss(nn.Module):
    """A loss of raw scores against class numbers of any type, as (N,) or (N, 1), or rows of probabilities."""

    def __init__(self, loss_fn: nn.Module) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if target.shape == output.shape:
            target = target.to(output.dtype)
        else:
            target = target.reshape(len(output), *output.shape[2:]).long()
        loss: Tensor = self.loss_fn(output, target)
        return loss


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()
