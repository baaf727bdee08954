"""Samples as a source gives them, before any preparation, and what is known of each: its class, name, group, time.

    data = table("penguins.csv", target="species")     # Samples
    train, val, test = divided(data, (0.7, 0.2, 0.1), seed=0)
    train.classes                                      # ("Adelie", "Chinstrap", "Gentoo")

May not: read files, prepare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.data.columns import Columns, rows_in, taken
from torchdoctor.data.cut import Rows, SplitBy, cut, stratified
from torchdoctor.data.splits import Splits, must_be_real
from torchdoctor.errors import BadParts

TRAIN, VAL, TEST = range(3)  # the values of Samples.part
PARTS = ("training", "validation", "test")  # what messages and stores call them


class Reader(Protocol):
    """What makes tensors (N, ...) of what a service is sent, as the source did of its files."""

    def __call__(self, raw: Sequence[Any]) -> Tensor: ...


@dataclass(frozen=True)
class Samples:
    """x: (N, ...), or a table by column. y: (N,) int64 class numbers or float32, or (N, K) float32.

    classes: the name of each class number. names: of each sample, its file or its row. groups, times: (N,), what a
    split must not tear apart or turn around. part: (N,) 0 training, 1 validation, 2 test, where the data come divided.
    text: the column that holds free text. reader: for raw inputs that are files. skipped: files that were left out,
    and why.
    """

    x: Tensor | Columns
    y: Tensor
    classes: tuple[str, ...] | None = None
    names: NDArray[np.str_] | None = None
    groups: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    part: NDArray[np.int64] | None = None
    text: str | None = None
    reader: Reader | None = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.y)

    def __post_init__(self) -> None:
        for tensor in (self.x, self.y):
            if isinstance(tensor, Tensor):
                must_be_real(tensor, "Samples")
        inputs = rows_in(self.x) if isinstance(self.x, dict) else len(self.x)
        if inputs != len(self.y):
            raise BadParts(f"{inputs} inputs and {len(self.y)} targets; give one target per input.")

    def take(self, rows: Any) -> Samples:
        """These samples alone."""
        x = taken(self.x, rows) if isinstance(self.x, dict) else self.x[rows]
        names, groups, times, part = (
            None if known is None else known[rows] for known in (self.names, self.groups, self.times, self.part)
        )
        return replace(self, x=x, y=self.y[rows], names=names, groups=groups, times=times, part=part)


class Divided(NamedTuple):
    """What is learnt from, what is chosen by, and what is told at the end."""

    train: Samples
    val: Samples | None = None
    test: Samples | None = None


def as_divided(data: Samples | Splits, classes: tuple[str, ...] | None = None) -> Divided:
    """Samples by the part they belong to; all are training samples where none is said. classes: names for Splits."""
    if isinstance(data, Splits):
        pairs = zip(data[0::2], data[1::2])
        train, *held_out = (None if x is None or y is None else Samples(x, y, classes) for x, y in pairs)
        assert train is not None  # a Splits always holds training samples
        return Divided(train, *held_out)
    if data.part is None:
        return Divided(data)
    rows = [np.flatnonzero(data.part == part) for part in (TRAIN, VAL, TEST)]
    if not len(rows[TRAIN]):
        raise BadParts("The data come divided, but hold no training samples; there is nothing to learn from.")
    return Divided(data.take(rows[TRAIN]), _some(data, rows[VAL]), _some(data, rows[TEST]))


def divided(data: Samples | Divided, shares: Sequence[float], seed: int, by: SplitBy = "stratified") -> Divided:
    """With validation and test cut from training where they are missing. shares: of training, validation and test.

    Data with a test set of their own keep it; then the first two shares divide their training samples.
    Raises BadParts when too few samples are left to train on, or when what the split goes by is not there.
    """
    given = data if isinstance(data, Divided) else as_divided(data)
    if given.val is not None:
        return given
    whole = given.train
    wanted = list(shares) if given.test is None else list(shares[:2])
    train, val, *test = cut(whole.y, wanted, seed, by, whole.groups, whole.times)
    if not len(train):
        raise BadParts(f"Splitting {len(whole)} samples {list(shares)} leaves none to train on.")
    return Divided(whole.take(train), _some(whole, val), _some(whole, test[0]) if test else given.test)


def limited(data: Divided, limit: int | None, seed: int) -> Divided:
    """At most `limit` samples of each part, drawn at random and class by class."""
    if limit is None:
        return data

    def few(part: Samples | None) -> Samples | None:
        if part is None or len(part) <= limit:
            return part
        drawn, others = stratified(part.y, [limit, len(part) - limit], seed)
        return part.take(np.concatenate([drawn, others])[:limit])  # rounded class by class it may be some more, or less

    train, *held_out = map(few, data)
    assert train is not None
    return Divided(train, *held_out)


def learnable(data: Divided) -> Divided:
    """The data, if there is something to learn. Raises BadParts when all training targets are the same."""
    y = data.train.y
    if y.ndim == 1 and len(y) and bool((y == y[0]).all()):
        name = data.train.classes[int(y[0])] if data.train.classes else f"{float(y[0]):g}"
        raise BadParts(
            f"All {len(y):,} training targets are {name!r}: there is nothing to tell apart. "
            "Look at the target, and at how the samples were chosen."
        )
    return data


def _some(whole: Samples, rows: Rows) -> Samples | None:
    return whole.take(rows) if len(rows) else None
