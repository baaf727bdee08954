"""buckets: a number becomes 0 and 1 columns that say between which of the training samples' quantiles it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np

from torchdoctor.data.columns import Column, Columns
from torchdoctor.data.steps.step import On, chosen_columns, replaced
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Buckets:
    """columns: which; default all numbers. count: buckets, each with as many training samples, fewer where values are
    repeated. edges: learnt, by column; a bucket holds its lower edge. A missing number is in no bucket."""

    columns: tuple[str, ...] | None = None
    count: int = 10
    edges: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    on: ClassVar[On] = "columns"

    def __post_init__(self) -> None:
        if self.count < 2:
            raise BadParts(f"buckets: count is {self.count}; it must be at least 2.")

    def fit(self, x: Columns) -> Buckets:
        names = chosen_columns(x, self.columns, "number", "buckets")
        return replace(self, columns=names, edges={name: self._edges(x[name], name) for name in names})

    def __call__(self, x: Columns) -> Columns:
        return replaced(x, {name: _coded(x[name], name, edges) for name, edges in self.edges.items()})

    def _edges(self, values: Column, name: str) -> tuple[float, ...]:
        there = values[~np.isnan(values)]
        if not len(there):
            raise BadParts(f"Column {name!r} has no value in any training sample; leave it out: data.args.drop.")
        cuts = np.unique(np.quantile(there, np.arange(1, self.count) / self.count))
        return tuple(float(edge) for edge in cuts if edge > there.min())  # below the least there would be nobody


def _coded(values: Column, name: str, edges: tuple[float, ...]) -> Columns:
    bucket = np.where(np.isnan(values), -1, np.searchsorted(edges, values, side="right"))
    return {label: (bucket == i).astype(float) for i, label in enumerate(_labels(name, edges))}


def _labels(name: str, edges: tuple[float, ...]) -> list[str]:
    ends = ["", *(f"{edge:g}" for edge in edges), ""]
    return [f"{name} {low}..{high} #{i}" for i, (low, high) in enumerate(pairwise(ends))]
