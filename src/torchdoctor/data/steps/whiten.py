"""whiten: features that no longer go together, and all have variance 1, by the training samples' covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from torchdoctor.data.steps.step import On
from torchdoctor.errors import BadParts

WIDEST = 4_096  # features: the matrix has their square, and its eigenvectors cost their cube


@dataclass(frozen=True, eq=False)
class Whiten:
    """(x - mean) W, W = V (L + epsilon)^-1/2 V' of the covariance V L V': "ZCA", the whitening that changes x least, so
    that a picture stays one (Bell and Sejnowski 1997; Kessy, Lewin and Strimmer 2018, arXiv:1512.00809).

    epsilon: added to each variance, in units of the mean variance, so that noise in flat directions is not blown up.
    mean (F,), matrix (F, F): learnt; F counts all values of a sample.
    """

    epsilon: float = 1e-3
    mean: Tensor | None = None
    matrix: Tensor | None = None
    on: ClassVar[On] = "tensor"

    def fit(self, x: Tensor) -> Whiten:
        flat = x.flatten(1).double()
        if flat.shape[1] > WIDEST:
            raise BadParts(
                f"whiten: {flat.shape[1]:,} values in a sample are too many (at most {WIDEST:,}); shrink it."
            )
        mean = flat.mean(0)
        centred = flat - mean
        spread, directions = torch.linalg.eigh(centred.T @ centred / len(flat))
        floor = self.epsilon * spread.mean()
        weights = (spread.clamp(min=0) + floor.clamp(min=torch.finfo(torch.float64).tiny)).rsqrt()
        return replace(self, mean=mean.float(), matrix=(directions * weights @ directions.T).float())

    def __call__(self, x: Tensor) -> Tensor:
        assert self.mean is not None and self.matrix is not None
        return ((x.flatten(1).float() - self.mean) @ self.matrix).reshape(x.shape)
