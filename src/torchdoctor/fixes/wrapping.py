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


def in_front(model: nn.Module, before: Sequence[nn.Module]) -> Around:
    """The model behind one module for each float input; what fills gaps stays ahead of them, since a gap has no size
    and what it is filled with is a number of the raw data."""
    if isinstance(model, Around) and model.before is not None and all(isinstance(m, Fill) for m in model.before):
        return Around(in_front(model.model, before), before=list(model.before), after=model.after)
    return Around(model, before=before)


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


class ChannelsFromLast(nn.Module):
    """(N, C, H, W) that is a mere reshape of (N, H, W, C), put in order; what is no picture stays as it is."""

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            return x
        n, c, h, w = x.shape
        return x.reshape(n, h, w, c).permute(0, 3, 1, 2).contiguous()


class Fill(nn.Module):
    """x with `value` where it is NaN or infinite; a buffer, saved and moved with the weights."""

    value: Tensor

    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value)

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(torch.isfinite(x), x, self.value.to(x.dtype))


class StandardizedLoss(nn.Module):
    """A loss measured in standard units, of an output and a target that are both in the units of the data."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor], mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.loss_fn = loss_fn
        self.scale = Standardize(mean, std)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.loss_fn(self.scale(output), self.scale(target))


class OutputLoss(nn.Module):
    """A loss whose gradient is taken by the output only: that of anything it adds for the weights is zero."""

    def __init__(self, loss_fn: Callable[[Any, Any], Tensor]) -> None:
        super().__init__()
        self.loss_fn = loss_fn

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if not (torch.is_grad_enabled() and output.requires_grad):
            return self.loss_fn(output, target)
        answer = output.detach().requires_grad_()
        loss = self.loss_fn(answer, target)
        (slope,) = torch.autograd.grad(loss, answer)
        return loss.detach() + ((output - answer.detach()) * slope).sum()


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
