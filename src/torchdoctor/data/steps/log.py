"""log: numbers that span orders of magnitude are brought together, sign(x) log(1 + |x|)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from torchdoctor.data.columns import Columns
from torchdoctor.data.steps.step import On, chosen_columns


@dataclass(frozen=True)
class Log:
    """columns: default all numbers. Zero stays zero and signs stay, so nothing must be known of the range."""

    columns: tuple[str, ...] | None = None
    on: ClassVar[On] = "columns"

    def fit(self, x: Columns) -> Log:
        return replace(self, columns=chosen_columns(x, self.columns, "number", "log"))

    def __call__(self, x: Columns) -> Columns:
        names = self.columns or ()
        return {n: np.sign(v) * np.log1p(np.abs(v)) if n in names else v for n, v in x.items()}
