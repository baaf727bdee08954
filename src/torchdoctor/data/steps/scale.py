"""scale: (value - mean) / std with numbers from the training samples; what the recipe's data.scale appends too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from torchdoctor.data.scaling import How, Scaling, scaling
from torchdoctor.data.steps.step import On
from torchdoctor.errors import BadParts


@dataclass(frozen=True, eq=False)
class Scale:
    """how: standard, unit, or (mean, std), as data.scale. mean, std: learnt."""

    how: How = "standard"
    mean: Tensor | None = None
    std: Tensor | None = None
    on: ClassVar[On] = "tensor"

    def __post_init__(self) -> None:
        if self.how not in ("none", "unit", "standard") and not isinstance(self.how, tuple):
            raise BadParts(f"scale: how is {self.how!r}; it must be standard, unit or [mean, std].")

    def fit(self, x: Tensor) -> Scale:
        made = scaling(x, self.how)
        return replace(self, mean=made.mean, std=made.std)

    def __call__(self, x: Tensor) -> Tensor:
        assert self.mean is not None and self.std is not None
        return Scaling(self.mean, self.std)(x)
