"""What is examined: the samples of each part, as they were read, before any scaling.

May not: read files, judge, draw from any global generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.data.augment.loader import Range
from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.splits import Splits
from torchdoctor.examine.features import Embed, Features, embedding

PARTS = ("train", "val", "test")
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """x: (N, ...) as read; y: (N,) class numbers, or decimals (N, ...). names: of each sample, its file or row."""

    x: Tensor
    y: Tensor
    names: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Material:
    """parts: "train" and perhaps "val" and "test". classes: names of the class numbers, where there are any.

    skipped: files that could not be read, and why. policy: the augmentation that training will use. missing: column ->
    samples that lack it, of each part of a table. columns: names of the columns of rows.
    """

    parts: Mapping[str, Part]
    classes: tuple[str, ...] | None = None
    skipped: tuple[str, ...] = ()
    policy: Policy | None = None
    seed: int = 0
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None

    @classmethod
    def of(cls, splits: Splits, names: Sequence[NDArray[Any] | None] = (None, None, None), **more: Any) -> Material:
        """From tensors; names: of the samples of each part; more: the other fields."""
        parts = zip(PARTS, splits[0::2], splits[1::2], names)
        known = {name: Part(x.cpu(), y.cpu(), n) for name, x, y, n in parts if x is not None and y is not None}
        return cls(known, **more)

    @property
    def train(self) -> Part:
        return self.parts["train"]

    @property
    def task(self) -> Literal["classes", "amounts"]:
        """What the targets are."""
        return "classes" if self.train.y.ndim == 1 and not self.train.y.is_floating_point() else "amounts"

    @property
    def kind(self) -> Literal["pictures", "rows", "ids"]:
        """What the inputs are: (N, C, H, W), numbers of any other shape, or whole numbers that stand for words."""
        x = self.train.x
        if x.ndim == 4:
            return "pictures"
        return "ids" if not x.is_floating_point() and x.element_size() > 1 else "rows"

    @cached_property
    def features(self) -> Features:
        """What neighbours and small models look at: a few dozen numbers a sample."""
        return {name: self.embed(part.x) for name, part in self.parts.items()}

    @cached_property
    def embed(self) -> Embed:
        """Makes features of samples (N, ...) -> (N, D); fitted to training samples alone."""
        return embedding(self.train.x, self.kind, self.between, self.seed)

    @cached_property
    def between(self) -> Range:
        """Black and white of training, per channel or feature."""
        x = self.train.x
        return Range.of(x.nan_to_num() if x.is_floating_point() else x)

    def unit(self, part: str, rows: Sequence[int] | Rows) -> Tensor:
        """Samples as float32 in 0..1."""
        return self.between.unit(self.parts[part].x[torch.as_tensor(rows)].float().nan_to_num())

    def rows(self, part: str, at_most: int) -> Rows:
        """Row numbers of a part, all or drawn at random, in order."""
        n = len(self.parts[part])
        if n <= at_most:
            return np.arange(n)
        return np.sort(np.random.default_rng([self.seed, PARTS.index(part)]).choice(n, at_most, replace=False))

    def labels(self, part: str) -> NDArray[np.int64]:
        """(N,) class numbers."""
        return self.parts[part].y.long().numpy()

    def name(self, part: str, row: int) -> str:
        """A sample, for people: its file, or its place in the part."""
        names = self.parts[part].names
        return str(names[row]) if names is not None else f"{part} {row}"
