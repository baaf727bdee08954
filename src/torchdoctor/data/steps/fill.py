"""fill: numbers that are missing become the training samples' median, mean or most frequent value, or one of yours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from torchdoctor.data.columns import Column, Columns, kinds_of
from torchdoctor.data.steps.step import On, chosen_columns, replaced
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Fill:
    """columns: default all numbers, also those of which none was missing in training: one may be missing later.

    by: median, mean, most-frequent (for text too, if named in columns), or a value. mark: where one was missing in
    training, add a column "NAME missing" of 0 and 1, since that often says something itself. values: learnt, by
    column; marked: learnt, columns with a mark.
    """

    columns: tuple[str, ...] | None = None
    by: Literal["median", "mean", "most-frequent"] | float | str = "median"
    mark: bool = False
    values: Mapping[str, float | str] = field(default_factory=dict)
    marked: tuple[str, ...] = ()
    on: ClassVar[On] = "columns"

    def fit(self, x: Columns) -> Fill:
        kinds = kinds_of(x)
        names = self.columns or chosen_columns(x, None, "number", "fill")
        for name in names:
            chosen_columns(x, (name,), "text" if self._takes_text() and kinds.get(name) == "text" else "number", "fill")
        marked = tuple(name for name in names if self.mark and _missing(x[name]).any())
        values = {name: self._value(x[name], name) for name in names}
        return replace(self, columns=tuple(names), values=values, marked=marked)

    def __call__(self, x: Columns) -> Columns:
        return replaced(x, {name: self._filled(x[name], name) for name in self.values})

    def _filled(self, values: Column, name: str) -> Columns:
        missing = _missing(values)
        filled = values.copy()
        filled[missing] = self.values[name]
        return {name: filled, **({f"{name} missing": missing.astype(float)} if name in self.marked else {})}

    def _takes_text(self) -> bool:
        return isinstance(self.by, str) and self.by not in ("median", "mean")

    def _value(self, values: Column, name: str) -> float | str:
        there = values[~_missing(values)]
        if not len(there):
            raise BadParts(f"Column {name!r} has no value in any training sample; leave it out: data.args.drop.")
        if self.by == "median":
            return float(np.median(there))
        if self.by == "mean":
            return float(np.mean(there))
        if self.by == "most-frequent":
            found, counts = np.unique(there, return_counts=True)
            most: float | str = (
                found[counts.argmax()].item() if there.dtype.kind == "f" else str(found[counts.argmax()])
            )
            return most
        return float(self.by) if there.dtype.kind == "f" else str(self.by)


def _missing(values: Column) -> Column:
    return np.isnan(values) if values.dtype.kind == "f" else np.array([v is None for v in values], bool)
