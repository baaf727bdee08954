"""Splits: inputs and targets for training, validation and test; cut by share where a data set came in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.errors import BadParts

Rows = NDArray[np.int64]


class Splits(NamedTuple):
    """x: (N, ...), y: (N, ...). What is None is cut from what is there, by `divided`."""

    train_x: Tensor
    train_y: Tensor
    val_x: Tensor | None = None
    val_y: Tensor | None = None
    test_x: Tensor | None = None
    test_y: Tensor | None = None


def as_splits(given: Any, name: str) -> Splits:
    """What a data function returned: (x, y) in one piece, or (train_x, train_y, val_x, val_y, test_x, test_y), each
    an array or tensor; validation and test may be None. Raises BadParts, calling the function `name`."""
    values = list(given) if isinstance(given, (tuple, list)) else []
    if len(values) not in (2, 6):
        what = f"{len(values)} values" if values else f"a {type(given).__name__}"
        raise BadParts(
            f"{name} returned {what}; it must return (x, y), (train_x, train_y, val_x, val_y, test_x, test_y), "
            "or two or three datasets."
        )
    tensors = [None if v is None else _as_tensor(v, name) for v in values] + [None] * (6 - len(values))
    tensors[1::2] = [None if y is None else y.long() if y.dtype == torch.uint8 else y for y in tensors[1::2]]
    for part, x, y in zip(("training", "validation", "test"), tensors[0::2], tensors[1::2]):
        if (x is None) != (y is None) or (x is not None and y is not None and len(x) != len(y)):
            counts = " and ".join("no" if t is None else str(len(t)) for t in (x, y))
            raise BadParts(f"{name} gives {counts} {part} inputs and targets; give one target per input.")
    train_x, train_y, *held_out = tensors
    if train_x is None or train_y is None or not len(train_x):
        raise BadParts(f"{name} gives no training samples; it must give at least one.")
    return Splits(train_x, train_y, *held_out)


def divided(splits: Splits, shares: Sequence[float], seed: int) -> Splits:
    """With validation and test cut from training where they are missing. shares: of training, validation and test.

    A data set with a test set of its own keeps it; then the first two shares divide its training samples. Every class
    is divided in the same proportion, and at random. Raises BadParts when too few samples are left to train on.
    """
    if splits.val_x is not None:
        return splits
    wanted = list(shares) if splits.test_x is None else list(shares[:2])
    train, val, *test = stratified(splits.train_y, wanted, seed)
    if not len(train):
        raise BadParts(f"Splitting {len(splits.train_x)} samples {list(shares)} leaves none to train on.")
    x, y = splits.train_x, splits.train_y
    cut = Splits(x[train], y[train], *_some(x, y, val), splits.test_x, splits.test_y)
    if not test:
        return cut
    test_x, test_y = _some(x, y, test[0])
    return cut._replace(test_x=test_x, test_y=test_y)


def stratified(y: Tensor, shares: Sequence[float], seed: int) -> list[Rows]:
    """Row numbers of each share, in random order; class by class where the targets are whole numbers."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(y))
    classes = y.numpy()[order] if y.ndim == 1 and not y.is_floating_point() else np.zeros(len(y), np.int64)
    edges = np.cumsum(shares)[:-1] / np.sum(shares)
    pieces: list[list[Rows]] = [[] for _ in shares]
    for label in np.unique(classes):
        members = order[classes == label]
        for piece, rows in zip(pieces, np.split(members, np.round(edges * len(members)).astype(int))):
            piece.append(rows)
    return [random.permutation(np.concatenate(piece)) for piece in pieces]


def limited(splits: Splits, limit: int | None, seed: int) -> Splits:
    """At most `limit` samples of each part, drawn at random and class by class."""
    if limit is None:
        return splits
    parts: list[Tensor | None] = []
    for x, y in zip(splits[0::2], splits[1::2]):
        if x is None or y is None or len(x) <= limit:
            parts += [x, y]
        else:
            rows = stratified(y, [limit, len(y) - limit], seed)[0]
            parts += [x[rows], y[rows]]
    train_x, train_y, *held_out = parts
    assert train_x is not None and train_y is not None  # a Splits always holds training samples
    return Splits(train_x, train_y, *held_out)


def _some(x: Tensor, y: Tensor, rows: Rows) -> tuple[Tensor | None, Tensor | None]:
    return (x[rows], y[rows]) if len(rows) else (None, None)


def _as_tensor(value: Any, name: str) -> Tensor:
    """Whole numbers of targets become int64, decimals float32; bytes of scans stay bytes until they are scaled."""
    try:
        tensor = torch.as_tensor(np.asarray(value)) if not isinstance(value, Tensor) else value
    except (TypeError, ValueError) as error:
        raise BadParts(f"{name} gives a {type(value).__name__} that is no tensor ({error}). Give numbers.") from None
    if tensor.dtype == torch.uint8:
        return tensor
    return tensor.float() if tensor.is_floating_point() else tensor.long()
