"""The columns of a table side by side, as a tensor (N, F). Put in by itself, where columns become a tensor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from torchdoctor.data.columns import Columns, kinds_of
from torchdoctor.data.steps.step import On
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Matrix:
    """names: learnt, the columns in their order."""

    names: tuple[str, ...] = ()
    on: ClassVar[On] = "columns"

    def fit(self, x: Columns) -> Matrix:
        if not x:
            raise BadParts("No column is left to learn from; look at data.args.drop and data.features.")
        for name, kind in kinds_of(x).items():
            if kind == "text":
                raise BadParts(f"Column {name!r} holds text; put one-hot, words or tokens into data.features for it.")
        made = replace(self, names=tuple(x))
        made(x)
        return made

    def __call__(self, x: Columns) -> Tensor:
        for name in self.names:
            if missing := int(np.isnan(x[name]).sum()):
                raise BadParts(
                    f"Column {name!r} misses {missing:,} of {len(x[name]):,} values; put fill into data.features."
                )
        return torch.from_numpy(np.stack([x[name].astype(np.float32) for name in self.names], axis=1))
