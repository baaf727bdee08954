"""Mixing of samples: mixup and cutmix, whose targets are shares of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from torchdoctor.data.augment.pixels import rectangles
from torchdoctor.data.augment.step import Floats, Random, column, must_lie


@dataclass(frozen=True)
class Mixup:
    """share * sample + (1 - share) * another of the batch, and so the targets; share from Beta(alpha, alpha).

    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018.
    """

    alpha: float = 0.2
    ndim: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        must_lie("mixup.alpha", self.alpha, 1e-3, 100)

    def mixed(self, x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        share, other = random.beta(self.alpha, self.alpha, len(x)), _others(random, x)
        return _between(x, x[other], share), _between(y, y[other], share)


@dataclass(frozen=True)
class Cutmix:
    """A rectangle of another picture of the batch is put in; targets by area. Its share is 1 - Beta(alpha, alpha).

    Yun et al., CutMix, ICCV 2019.
    """

    alpha: float = 1.0
    ndim: ClassVar[int | None] = 4

    def __post_init__(self) -> None:
        must_lie("cutmix.alpha", self.alpha, 1e-3, 100)

    def mixed(self, x: Tensor, y: Tensor, random: Random) -> tuple[Tensor, Tensor]:
        n, _, height, width = x.shape
        side, other = np.sqrt(1 - random.beta(self.alpha, self.alpha, n)), _others(random, x)
        high, wide = (np.round(side * room).astype(int) for room in (height, width))
        cut = rectangles(random, high, wide, height, width).to(x.device)
        kept = 1 - high * wide / (height * width)  # what was really cut: sides are whole pixels
        return torch.where(cut, x[other], x), _between(y, y[other], kept)


def _between(a: Tensor, b: Tensor, share: Floats) -> Tensor:
    of_a = column(share, a)
    return of_a * a + (1 - of_a) * b


def _others(random: Random, x: Tensor) -> Tensor:
    return torch.from_numpy(random.permutation(len(x))).to(x.device)
