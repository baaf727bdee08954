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

    kind: None takes text, and at most 20 different whole numbers, for classes. Raises BadParts when one is missing, or
    is text where numbers are asked for.
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


def _class_numbers(values: NDArray[Any]) -> tuple[Tensor, tuple[str, ...]]:
    names, ids = np.unique(values, return_inverse=True)
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
