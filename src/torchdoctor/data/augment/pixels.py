"""Augmentation of values: hue, saturation, brightness, noise and erased rectangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional

from torchdoctor.data.augment.step import Random, column, each, must_lie, times_between


@dataclass(frozen=True)
class Hue:
    """by: at most this share of the colour circle, to either side. Costs a quarter of a millisecond a picture."""

    by: float = 0.05
    ndim: ClassVar[int | None] = 4
    channels: ClassVar[int | None] = 3

    def __post_init__(self) -> None:
        must_lie("hue.by", self.by, 0, 0.5)

    def changed(self, x: Tensor, random: Random) -> Tensor:
        return each(x, random.uniform(-self.by, self.by, len(x)), functional.adjust_hue)


@dataclass(frozen=True)
class Saturation:
    """by: colours at most this share weaker or stronger; 1 reaches grey."""

    by: float = 0.3
    ndim: ClassVar[int | None] = 4
    channels: ClassVar[int | None] = 3

    def __post_init__(self) -> None:
        must_lie("saturation.by", self.by, 0, 1)

    def changed(self, x: Tensor, random: Random) -> Tensor:
        return each(x, random.uniform(1 - self.by, 1 + self.by, len(x)), functional.adjust_saturation)


@dataclass(frozen=True)
class Brightness:
    """by: at most this share darker or lighter; 1 reaches black."""

    by: float = 0.3
    ndim: ClassVar[int | None] = 4
    channels: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        must_lie("brightness.by", self.by, 0, 1)

    def changed(self, x: Tensor, random: Random) -> Tensor:
        return (x * column(random.uniform(1 - self.by, 1 + self.by, len(x)), x)).clamp(0, 1)


@dataclass(frozen=True)
class Noise:
    """std: standard deviation of Gaussian noise, as a share of the range from black to white (or of a feature's)."""

    std: float = 0.05
    ndim: ClassVar[int | None] = None
    channels: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        must_lie("noise.std", self.std, 0, 10)

    def changed(self, x: Tensor, random: Random) -> Tensor:
        drawn = torch.from_numpy(random.standard_normal(tuple(x.shape), np.float32)).to(x)  # on the CPU: the same
        return (x + self.std * drawn).clamp(0, 1)  # numbers on every device


@dataclass(frozen=True)
class Erasing:
    """probability: that a picture loses a rectangle. area: its share of the picture. ratio: its height to width.

    Zhong et al., Random Erasing Data Augmentation, AAAI 2020. The rectangle becomes black.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.2)
    ratio: tuple[float, float] = (0.3, 3.3)
    ndim: ClassVar[int | None] = 4
    channels: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        must_lie("erasing.probability", self.probability, 0, 1)
        must_lie("erasing.area", self.area, 0, 1)
        must_lie("erasing.ratio", self.ratio, 0.05, 20)

    def changed(self, x: Tensor, random: Random) -> Tensor:
        n, _, height, width = x.shape
        hit, area = random.random(n) < self.probability, random.uniform(*self.area, n) * height * width
        ratio = times_between(random, self.ratio, n)
        high, wide = np.minimum(np.sqrt(area * ratio), height), np.minimum(np.sqrt(area / ratio), width)
        sizes = (np.round(high).astype(int) * hit, np.round(wide).astype(int))
        return x * ~rectangles(random, *sizes, height, width).to(x.device)


def rectangles(random: Random, high: NDArray[Any], wide: NDArray[Any], height: int, width: int) -> Tensor:
    """(N, 1, height, width) bool: true inside a rectangle of the given sizes (N,), anywhere within the picture."""
    inside = []
    for size, room in ((high, height), (wide, width)):
        start = np.floor(random.random(len(size)) * (room - size + 1))
        at = np.arange(room)
        inside.append((at >= start[:, None]) & (at < (start + size)[:, None]))
    return torch.from_numpy(inside[0][:, None, :, None] & inside[1][:, None, None, :])
