"""Geometric augmentation: flip, rotate, shift, shear, scale and crop, a whole batch in one interpolation.

torchvision draws one set of parameters a call; calling it sample by sample takes fourteen times as long (64 pictures of
28 x 28: 9.1 against 0.64 ms). So the matrices are made here and torch does the rest, as torchvision does underneath;
the tests hold the two together picture by picture. What comes in from outside repeats the edge: a picture on white
paper gets no black corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from torchdoctor.data.augment.step import Floats, Random, must_lie, times_between


def warped(x: Tensor, matrices: Floats) -> Tensor:
    """x: (N, C, H, W) read where `matrices` (N, 3, 3) say, bilinearly."""
    height, width = x.shape[-2:]
    to_pixels = np.diag([width / 2, height / 2, 1.0])
    theta = (np.linalg.inv(to_pixels) @ matrices @ to_pixels)[:, :2]
    grid = F.affine_grid(torch.from_numpy(theta.astype(np.float32)).to(x.device), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), mode="bilinear", padding_mode="border", align_corners=False)


def matrix(
    n: int, a: Floats | float = 1, b: Floats | float = 0, c: Floats | float = 0, d: Floats | float = 1,
    dx: Floats | float = 0, dy: Floats | float = 0,
) -> Floats:  # fmt: skip
    """(n, 3, 3) of [[a, b, dx], [c, d, dy], [0, 0, 1]], each a number or one per sample."""
    made = np.zeros((n, 3, 3))
    for (row, column), value in {(0, 0): a, (0, 1): b, (0, 2): dx, (1, 0): c, (1, 1): d, (1, 2): dy}.items():
        made[:, row, column] = value
    made[:, 2, 2] = 1
    return made


@dataclass(frozen=True)
class Flip:
    """horizontal, vertical: how likely left and right, and top and bottom, change places."""

    horizontal: float = 0.5
    vertical: float = 0.0

    def __post_init__(self) -> None:
        must_lie("flip.horizontal", self.horizontal, 0, 1)
        must_lie("flip.vertical", self.vertical, 0, 1)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        across, down = (np.where(random.random(n) < p, -1.0, 1.0) for p in (self.horizontal, self.vertical))
        return matrix(n, a=across, d=down)


@dataclass(frozen=True)
class Rotate:
    """degrees: at most this far, to either side, about the middle."""

    degrees: float = 10.0

    def __post_init__(self) -> None:
        must_lie("rotate.degrees", self.degrees, 0, 180)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        angle = np.radians(random.uniform(-self.degrees, self.degrees, n))
        return matrix(n, a=np.cos(angle), b=-np.sin(angle), c=np.sin(angle), d=np.cos(angle))


@dataclass(frozen=True)
class Shift:
    """share: at most this share of the width sideways, and of the height up or down."""

    share: float = 0.1

    def __post_init__(self) -> None:
        must_lie("shift.share", self.share, 0, 1)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        dx, dy = random.uniform(-self.share, self.share, (2, n))
        return matrix(n, dx=dx * width, dy=dy * height)


@dataclass(frozen=True)
class Shear:
    """degrees: upright lines lean by at most this, to either side."""

    degrees: float = 10.0

    def __post_init__(self) -> None:
        must_lie("shear.degrees", self.degrees, 0, 80)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        return matrix(n, b=np.tan(np.radians(random.uniform(-self.degrees, self.degrees, n))))


@dataclass(frozen=True)
class Scale:
    """between: times smaller or larger, about the middle; drawn evenly in the logarithm."""

    between: tuple[float, float] = (0.9, 1.1)

    def __post_init__(self) -> None:
        must_lie("scale.between", self.between, 0.05, 20)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        times = times_between(random, self.between, n)
        return matrix(n, a=1 / times, d=1 / times)


@dataclass(frozen=True)
class Crop:
    """area: share of the picture that is kept, brought back to its size. ratio: of width to height, changed by."""

    area: tuple[float, float] = (0.7, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        must_lie("crop.area", self.area, 0.01, 1)
        must_lie("crop.ratio", self.ratio, 0.1, 10)

    def matrices(self, random: Random, n: int, height: int, width: int) -> Floats:
        area, ratio = random.uniform(*self.area, n), times_between(random, self.ratio, n)
        wide, high = (np.minimum(np.sqrt(area * r), 1) for r in (ratio, 1 / ratio))  # shares of the picture
        dx, dy = ((1 - side) * random.uniform(-0.5, 0.5, n) for side in (wide, high))
        return matrix(n, a=wide, d=high, dx=dx * width, dy=dy * height)
