"""Targets as people write them, words or numbers, as what a loss takes: class numbers with their names, or decimals."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.data.columns import is_missing
from torchdoctor.errors import BadParts

TargetKind = Literal["classes", "numbers"]
FEW = 20  # different whole numbers that are still taken for classes


def encoded(values: NDArray[Any], kind: TargetKind | None = None) -> tuple[Tensor, tuple[str, ...] | None]:
    """(N,) int64 class numbers and their names in order, or (N,) float32 and None.

    kind: None takes text, and at most 20 different whole numbers, for classes. Raises BadParts when one is missing, is
    text where numbers are asked for, or is one of so many words that they must be names.
    """
    if missing := sum(is_missing(v) for v in values.tolist()):
        raise BadParts(
            f"{missing:,} of {len(values):,} samples have no target. Leave them out: data.args.unlabelled: drop."
        )
    numbers = _numbers(values)
    if kind is None:
        kind = "classes" if numbers is None or _are_labels(numbers) else "numbers"
    if kind == "numbers":
        if numbers is None:
            wrong = next(v for v in values.tolist() if _numbers(np.array([v], object)) is None)
            raise BadParts(f"The targets are to be numbers, but one is {wrong!r}. Leave out kind, or choose classes.")
        return torch.from_numpy(numbers.astype(np.float32)), None
    return _class_numbers(values.astype(str) if numbers is None else numbers)


def numbered(given: Any) -> tuple[Any, tuple[str, ...] | None]:
    """(x, y) or (train_x, train_y, val_x, val_y, test_x, test_y) with words for targets, as class numbers and their
    names, the same in all parts; anything else as it is, and None."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 6) or not any(map(_are_words, given[1::2])):
        return given, None
    parts = [None if y is None else np.asarray(y).astype(str) for y in given[1::2]]
    ids, names = encoded(np.concatenate([part for part in parts if part is not None]), "classes")
    values, begin = list(given), 0
    for place, part in zip(range(1, len(values), 2), parts):
        if part is not None:
            values[place], begin = ids[begin : begin + len(part)], begin + len(part)
    return tuple(values), names


def _are_words(y: Any) -> bool:
    """True for text, in a list or an array (N,) of NumPy or pandas."""
    if y is None or isinstance(y, Tensor) or np.ndim(y) != 1 or not len(y):
        return False
    found = np.asarray(y)
    return found.dtype.kind in "US" or all(isinstance(value, str) for value in found.tolist())


def _class_numbers(values: NDArray[Any]) -> tuple[Tensor, tuple[str, ...]]:
    names, ids = np.unique(values, return_inverse=True)
    if values.dtype.kind == "U" and len(names) > max(FEW, len(values) / 2):
        raise BadParts(
            f"The targets are {len(names):,} different words in {len(values):,} samples, such as {str(names[0])!r}: "
            "too many to be classes. Is it the right column?"
        )
    shown = tuple(f"{name:g}" if names.dtype.kind == "f" else str(name) for name in names)
    return torch.from_numpy(ids.astype(np.int64)), shown


def _numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    if values.dtype.kind == "b" or any(isinstance(v, str) for v in values.tolist()):
        return None  # "1" and "01" are two labels, as long as they are text
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _are_labels(numbers: NDArray[np.float64]) -> bool:
    return bool((numbers == np.round(numbers)).all()) and len(np.unique(numbers)) <= FEW
