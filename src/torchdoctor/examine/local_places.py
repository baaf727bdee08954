"""The places of an input that are small enough to hold a shortcut, each as a few numbers a sample.

Of rows the columns; of pictures tiles, an eighth of a side each, and the four edges; of ids each position, from both
ends, and the tokens that go with one class most. May not: judge, fit a model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from torchdoctor.data.augment.loader import Range
from torchdoctor.examine.features import SIDE, Matrix

TILES = 8  # along a side of a picture
COLUMNS = 24  # of more columns those are looked at that tell most by a rough count
BINS = 40  # of a column, for the rough count
POSITIONS = 16  # of texts, from each end
Box = tuple[int, int, int, int]  # top, bottom, left, right


@dataclass(frozen=True)
class Place:
    """values: (N, D) of the samples it was made from. of: the same of others. without: inputs that lack it.

    box: of a picture, in tiles; neighbours share a mark that lies between them.
    """

    kind: str
    name: str
    values: Matrix
    of: Callable[[Tensor], Matrix]
    without: Callable[[Tensor], Tensor]
    box: Box | None = None

    def apart(self, other: Place) -> bool:
        """Does `other` lie elsewhere, so that it cannot hold the same mark?"""
        if self.box is None or other.box is None:
            return self.name != other.name and {self.kind, other.kind} != {"tokens", "position"}
        (a, b, c, d), (e, f, g, h) = self.box, other.box
        return e > b or a > f or g > d or c > h


def places_of(x: Tensor, kind: str, between: Range, y: NDArray[Any]) -> list[Place]:
    """All places of samples (N, ...) that vary. y: (N,), by which many columns are narrowed down, and tokens chosen."""
    if kind == "pictures":
        return _pictures(x, between)
    if kind == "ids":
        return _texts(x.flatten(1), y)
    return _rows(x, y)


def _rows(x: Tensor, y: NDArray[Any]) -> list[Place]:
    flat = x.flatten(1).double().nan_to_num().numpy()
    varies = np.flatnonzero((flat != flat[:1]).any(0))
    if len(varies) < 2:
        return []  # a single column is all there is, and no shortcut past anything
    if len(varies) > COLUMNS:
        varies = np.sort(varies[np.argsort([-_told(flat[:, c], y) for c in varies], kind="stable")[:COLUMNS]])
    return [_column(x, int(c)) for c in varies]


def _column(x: Tensor, column: int) -> Place:
    def of(some: Tensor) -> Matrix:
        return np.asarray(some.flatten(1)[:, column : column + 1].double().nan_to_num().float().numpy(), np.float32)

    def without(some: Tensor) -> Tensor:
        flat = some.flatten(1).clone()
        flat[:, column] = 0
        return flat.reshape(some.shape)

    return Place("column", str(column), of(x), of, without)


def _told(values: NDArray[np.float64], y: NDArray[Any]) -> float:
    """What bins of a column tell of the targets, on the samples they were counted on: enough to choose by."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    bins = np.searchsorted(edges, values, side="right")
    if np.issubdtype(y.dtype, np.integer):
        classes, of = np.unique(y, return_inverse=True)
        table = np.zeros((len(edges) + 1, len(classes)))
        np.add.at(table, (bins, of), 1)
        return float(table.max(1).sum() / len(y))
    counts = np.bincount(bins, minlength=len(edges) + 1)
    sums = np.bincount(bins, y - y.mean(), minlength=len(edges) + 1)
    return float((sums**2 / np.maximum(counts, 1)).sum())


def _pictures(x: Tensor, between: Range) -> list[Place]:
    height, width = (min(SIDE, n) for n in x.shape[2:])
    tall, wide = -(-height // TILES), -(-width // TILES)
    boxes = {
        f"rows {t}-{min(t + tall, height) - 1}, columns {le}-{min(le + wide, width) - 1}": (
            t, min(t + tall, height) - 1, le, min(le + wide, width) - 1
        )
        for t in range(0, height, tall)
        for le in range(0, width, wide)
    }  # fmt: skip
    thin, slim = max(1, height // 14), max(1, width // 14)
    edges: dict[str, Box] = {
        "the upper edge": (0, thin - 1, 0, width - 1),
        "the lower edge": (height - thin, height - 1, 0, width - 1),
        "the left edge": (0, height - 1, 0, slim - 1),
        "the right edge": (0, height - 1, width - slim, width - 1),
    }
    small = _small(x, between)
    places = [_patch(x, small, between, name, box, "edge") for name, box in edges.items()]
    places += [_patch(x, small, between, name, box, "patch") for name, box in boxes.items()]
    return [place for place in places if (place.values != place.values[:1]).any()]


def _small(x: Tensor, between: Range) -> Tensor:
    unit = between.unit(x.float().nan_to_num())
    return F.adaptive_avg_pool2d(unit, (min(SIDE, x.shape[2]), min(SIDE, x.shape[3])))


def _patch(x: Tensor, small: Tensor, between: Range, name: str, box: Box, kind: str) -> Place:
    top, bottom, left, right = box

    def cut(some: Tensor) -> Matrix:
        return np.asarray(some[:, :, top : bottom + 1, left : right + 1].flatten(1).numpy(), np.float32)

    def without(some: Tensor) -> Tensor:
        (h, w), (high, broad) = some.shape[2:], small.shape[2:]
        changed = some.clone()
        # Whole pixels of the picture as it is, and those beside them that the smaller one mixes in.
        down = slice(top * h // high, -(-(bottom + 1) * h // high))
        along = slice(left * w // broad, -(-(right + 1) * w // broad))
        grey = some[:, :, down, along].float().mean((0, 2, 3)).to(some.dtype)
        changed[:, :, down, along] = grey[:, None, None]
        return changed

    near = (top - 1, bottom + 1, left - 1, right + 1)
    return Place(kind, name, cut(small), lambda some: cut(_small(some, between)), without, near)


def _texts(x: Tensor, y: NDArray[Any]) -> list[Place]:
    length = x.shape[1]
    ends = sorted({*range(min(POSITIONS, length)), *range(max(0, length - POSITIONS), length)})
    places = [_position(x, p) for p in ends if len(torch.unique(x[:, p])) > 1]
    if np.issubdtype(y.dtype, np.integer) and (tokens := _of_classes(x, y)):
        places.append(_tokens(x, tokens))
        if further := _of_classes(x, y, tokens):
            places.append(_tokens(x, further))
    return places


def _position(x: Tensor, at: int) -> Place:
    def of(some: Tensor) -> Matrix:
        return np.asarray(some[:, at : at + 1].numpy(), np.float32)

    def without(some: Tensor) -> Tensor:
        changed = some.clone()
        changed[:, at] = 0
        return changed

    return Place("position", str(at), of(x), of, without)


def _of_classes(x: Tensor, y: NDArray[Any], but: tuple[int, ...] = ()) -> tuple[int, ...]:
    """For each class the token whose presence goes with it most; 0 pads."""
    vocabulary = int(x.max()) + 1
    there = torch.zeros(len(x), vocabulary).scatter_(1, x.long().clamp(min=0), 1.0)
    there[:, [0, *but]] = 0
    labels = torch.as_tensor(y)
    of = [(there[labels == c].mean(0) - there[labels != c].mean(0)).argmax() for c in torch.unique(labels)]
    return tuple(sorted({int(t) for t in of} - {0, *but}))


def _tokens(x: Tensor, tokens: tuple[int, ...]) -> Place:
    wanted = torch.tensor(tokens)

    def of(some: Tensor) -> Matrix:
        found = [(some.flatten(1) == t).any(1) for t in tokens]
        return np.asarray(torch.stack(found, 1).numpy(), np.float32)

    def without(some: Tensor) -> Tensor:
        return torch.where(torch.isin(some, wanted), torch.zeros_like(some), some)

    return Place("tokens", ", ".join(map(str, tokens[:12])), of(x), of, without)
