"""Prepared: the tensors that training reads, how they came to be, and what each sample is called.

    prepared = Prepared.load("s3://team/penguins")
    prepared.classes, prepared.splits.train_x.shape

A store holds data and preparation together; to read it again takes neither the files nor the libraries for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torchdoctor.data import store
from torchdoctor.data.preparation import Preparation
from torchdoctor.data.samples import PARTS
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadParts

Names = NDArray[np.str_] | None


@dataclass(frozen=True, eq=False)
class Prepared:
    """splits: as a model takes them. names: of the samples of each part, (training, validation, test), their file or
    row, None where they have none. skipped: files that were left out, and why."""

    splits: Splits
    preparation: Preparation
    names: tuple[Names, Names, Names] = (None, None, None)
    skipped: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The name of each class number; None when the targets are no classes, or nobody named them."""
        return self.preparation.classes

    def save(self, url: str | Path) -> None:
        """Write url.json and url.safetensors; any fsspec URL. Raises BadParts when that fails."""
        tensors, preparation = self.preparation.to_parts("preparation.")
        tensors |= {name: t for name, t in self.splits._asdict().items() if t is not None}
        names = {part: None if known is None else known.tolist() for part, known in zip(PARTS, self.names)}
        store.write(url, tensors, {"preparation": preparation, "names": names, "skipped": self.skipped})

    @classmethod
    def load(cls, url: str | Path) -> Prepared:
        """What `save` wrote. Raises BadParts when there is none, or when it is damaged."""
        tensors, facts = store.read(url)
        if "preparation" not in facts or "train_x" not in tensors:
            raise BadParts(f"{url} holds no prepared data; it was stored as something else.")
        preparation = Preparation.from_parts(tensors, facts["preparation"], str(url))
        train, val, test = (None if facts["names"][p] is None else np.array(facts["names"][p]) for p in PARTS)
        splits = Splits(*(tensors.get(name) for name in Splits._fields))  # type: ignore[arg-type]
        return cls(splits, preparation, (train, val, test), tuple(facts["skipped"]))


def stored(root: str) -> Prepared:
    """A recipe's data.name `stored`: what Prepared.save wrote at the path or URL `root`, taken as it is."""
    return Prepared.load(root)
