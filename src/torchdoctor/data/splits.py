"""Splits: inputs and targets for training, validation and test, as tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from torchdoctor.errors import BadParts


class Splits(NamedTuple):
    """x: (N, ...), y: (N, ...). What is None is not there, or still to be cut from training (samples.divided).

    It holds numbers alone. What they mean goes along with them: class names and sample names are those of
    `Prepared(splits, preparation, names)`, which is what `Recipe.prepared()` gives.
    """

    train_x: Tensor
    train_y: Tensor
    val_x: Tensor | None = None
    val_y: Tensor | None = None
    test_x: Tensor | None = None
    test_y: Tensor | None = None

    def mapped(self, fn: Callable[[Tensor], Tensor]) -> Splits:
        """fn of each tensor that is there."""
        return Splits(*(None if t is None else fn(t) for t in self))  # type: ignore[arg-type]


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


def must_be_real(tensor: Tensor, name: str) -> None:
    """Raises BadParts, calling their source `name`, for complex numbers, of which scaling would drop a part."""
    if tensor.is_complex():
        raise BadParts(
            f"{name} gives complex numbers, and a network reads real ones. Give both parts side by side: "
            "torch.view_as_real(x)."
        )


def _as_tensor(value: Any, name: str) -> Tensor:
    """Whole numbers of targets become int64, decimals float32; bytes of scans stay bytes until they are scaled."""
    try:
        tensor = torch.as_tensor(np.asarray(value)) if not isinstance(value, Tensor) else value
    except (TypeError, ValueError) as error:
        raise BadParts(f"{name} gives a {type(value).__name__} that is no tensor ({error}). Give numbers.") from None
    must_be_real(tensor, name)
    if tensor.dtype == torch.uint8:
        return tensor
    return tensor.float() if tensor.is_floating_point() else tensor.long()
