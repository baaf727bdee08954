"""What the steps of an augmentation policy share: three kinds of step, and how they draw.

Every step sees samples in 0..1 (black to white, or a feature's smallest to its largest training value) and draws from
the generator it is handed, one set of parameters per sample.

May not: draw from any global generator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.errors import BadParts

Random = np.random.Generator
Floats = NDArray[np.float64]


@runtime_checkable
class Geometry(Protocol):
    """Moves pixels. Neighbouring geometric steps are multiplied, so that a picture is interpolated only once."""

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        """(n, 3, 3): where each pixel of the result is read, in pixels from the middle, x to the right, y down."""
        ...


@runtime_checkable
class Pixels(Protocol):
    """Changes values where they are. ndim: how many dimensions a batch must have, channels: how many channels; None:
    any."""

    ndim: ClassVar[int | None]
    channels: ClassVar[int | None]

    def changed(self, x: Tensor, random: Random) -> Tensor:
        """x: (N, ...) in 0..1 -> the same shape and range."""
        ...


@runtime_checkable
class Mix(Protocol):
    """Mixes samples, and with them their targets."""

    ndim: ClassVar[int | None]

    def mixed(self, x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        """x: (N, ...); y: (N, K) shares of classes, or (N, ...) decimals."""
        ...


Step = Geometry | Pixels | Mix


def times_between(random: Random, between: tuple[float, float], n: int) -> Floats:
    """n numbers, drawn evenly in the logarithm."""
    low, high = between
    return np.exp(random.uniform(np.log(low), np.log(high), n))


def column(values: Floats, like: Tensor) -> Tensor:
    """One number a sample, shaped to be combined with (N, ...)."""
    return torch.from_numpy(np.asarray(values, np.float32)).to(like.device).reshape(-1, *[1] * (like.ndim - 1))


def each(x: Tensor, values: Floats, change: Callable[[Tensor, float], Any]) -> Tensor:
    """`change` of every sample by its own number: torchvision's functions take one number a call."""
    return torch.stack([change(sample, float(value)) for sample, value in zip(x, values)])


def must_lie(name: str, value: Any, low: float, high: float) -> None:
    """Raises BadParts naming an argument outside low..high; of a pair both numbers, in order."""
    numbers = list(value) if isinstance(value, (tuple, list)) else [value]
    plain = all(isinstance(v, (int, float)) and low <= v <= high for v in numbers)
    if not plain or numbers != sorted(numbers):
        pair = " two of them, the smaller first," if isinstance(value, (tuple, list)) else ""
        raise BadParts(f"Augmentation: {name} = {value!r}; give{pair} numbers from {low:g} to {high:g}.")
