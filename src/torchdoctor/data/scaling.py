"""Scaling: (value - mean) / std with numbers taken from the training samples alone, and used for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from torchdoctor.errors import BadParts

How = Literal["none", "unit", "standard"] | tuple[float | Sequence[float], float | Sequence[float]]


@dataclass(frozen=True)
class Scaling:
    """mean, std: 0-d, or (C,) for the second dimension of what is scaled: channels of images, features of tables."""

    mean: Tensor
    std: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """x: (N, ...) of any number type -> float32 of the same shape."""
        wide = (1, -1, *[1] * (x.ndim - 2)) if self.mean.ndim else ()
        return (x.float() - self.mean.reshape(wide)) / self.std.reshape(wide)


def scaling(x: Tensor, how: How) -> Scaling:
    """The scaling that `how` asks for, from training samples x (N, ...).

    unit: divide by the largest absolute value. standard: zero mean and unit standard deviation per channel or feature;
    one that never varies is only centred. (mean, std): these numbers.
    """
    if how == "none":
        return Scaling(torch.tensor(0.0), torch.tensor(1.0))
    if how == "unit":
        return Scaling(torch.tensor(0.0), _or_one(x.abs().max().float()))
    if how == "standard":
        over = [d for d in range(x.ndim) if d != 1]
        std, mean = torch.std_mean(x.float(), dim=over, correction=0)
        return Scaling(mean, _or_one(std))
    mean, std = (torch.tensor(v, dtype=torch.float32) for v in how)
    return Scaling(*_fitting(mean, std, x))


def _fitting(mean: Tensor, std: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    channels = x.shape[1] if x.ndim > 1 else 1
    for number in (mean, std):
        if number.ndim and number.shape != (channels,):
            raise BadParts(f"scale has {len(number)} numbers for {channels} channels; give one number, or {channels}.")
    size = max(mean.shape, std.shape, key=len)
    return mean.expand(size), std.expand(size)


def _or_one(std: Tensor) -> Tensor:
    return torch.where(std > 0, std, torch.ones_like(std))
