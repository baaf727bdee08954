"""Data sets that give their samples one by one: the user's own, torchvision's, or pictures that stay in their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset

from torchdoctor.data.cut import SplitBy
from torchdoctor.data.picture_files import PictureFiles, PreparedBatch
from torchdoctor.data.preparation import Preparation, fitted
from torchdoctor.data.samples import Samples, divided, learnable, limited
from torchdoctor.errors import BadRecipe
from torchdoctor.recipe.sections.data import Data

SEEN = 1000  # training pictures that a scaling is learnt from; the error of a mean is then a thirtieth of the spread


@dataclass(frozen=True, eq=False)
class Sets:
    """train, val, test: as torch's data sets. classes: the name of each class number, where they tell. preparation:
    what is done to the inputs of a batch. names: of the samples of each part, where they have names. skipped: files
    that were left out, and why."""

    train: Dataset[Any]
    val: Dataset[Any] | None = None
    test: Dataset[Any] | None = None
    classes: tuple[str, ...] | None = None
    preparation: Preparation | None = None
    names: tuple[Any, Any, Any] = (None, None, None)
    skipped: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[Dataset[Any] | None, Dataset[Any] | None, Dataset[Any] | None]:
        return self.train, self.val, self.test

    def loader(self, part: Dataset[Any], size: int, workers: int = 0, **order: Any) -> DataLoader[Any]:
        """Of `size` samples a batch, read by so many processes. order: shuffle and generator."""
        if self.preparation is not None:
            order["collate_fn"] = PreparedBatch(self.preparation)
        return DataLoader(part, size, num_workers=workers, persistent_workers=workers > 0, **order)


def are_sets(given: Any) -> bool:
    """One data set, or training, validation and perhaps test."""
    if isinstance(given, Dataset):
        return True
    return isinstance(given, (tuple, list)) and len(given) in (2, 3) and all(isinstance(s, Dataset) for s in given)


def made_sets(given: Any, asked: Data, seed: int) -> Sets:
    """What a data function returned, divided where it came in one piece, with what the recipe does to it. Raises
    BadRecipe for options that data sets cannot follow, BadParts for samples that cannot be learnt from."""
    alone = isinstance(given, Dataset)
    if any(isinstance(one, IterableDataset) for one in ([given] if alone else given)):
        raise BadRecipe(
            f"data.name = {asked.name!r} gives a stream (IterableDataset), which cannot be divided or shuffled. Give "
            "data sets with a length; or build the loaders yourself: td.Experiment(build, ...)."
        )
    pictures = isinstance(given, PictureFiles)
    beyond = ["features", "target_scale", "suspects", *([] if alone else ["limit", "split_by"])]
    must_be_plain(asked, beyond + ([] if pictures else ["scale"]), "returns data sets")
    if not alone:
        train, val, test = (*given, None)[:3]
        return Sets(train, val, test, _classes(train))
    sets = _cut(given, asked, seed)
    return replace(sets, preparation=_learnt(given, sets.train, asked)) if isinstance(given, PictureFiles) else sets


def must_be_plain(asked: Data, options: Sequence[str], what: str) -> None:
    """Raises BadRecipe for an option that is set, and that nothing could follow."""
    for name in options:
        value = getattr(asked, name)
        if value != Data.model_fields[name].default:
            raise BadRecipe(f"data.{name} = {value!r}: {asked.name} {what}; let it do this itself.")


def _cut(whole: Dataset[Any], asked: Data, seed: int) -> Sets:
    """In the parts it says itself, else by shares and class by class, as samples in memory would be."""
    targets, names = _targets(whole), getattr(whole, "names", None)
    by: SplitBy = asked.split_by or ("random" if targets is None else "stratified")
    count = len(whole)  # type: ignore[arg-type]  # a data set without a length cannot be divided
    rows = Samples(
        torch.arange(count), torch.arange(float(count)) if targets is None else targets, _classes(whole),
        part=getattr(whole, "part", None),
    )  # fmt: skip
    parts = limited(learnable(divided(rows, asked.split, seed, by)), asked.limit, seed)
    chosen = [None if part is None else part.x.tolist() for part in parts]  # type: ignore[union-attr]  # row numbers
    named = [None if names is None or part is None else np.asarray(names)[part] for part in chosen]
    train, val, test = (None if part is None else Subset(whole, part) for part in chosen)
    assert train is not None  # divided() has left some to train on
    skipped: tuple[str, ...] = getattr(whole, "skipped", ())
    return Sets(train, val, test, _classes(whole), names=(named[0], named[1], named[2]), skipped=skipped)


def _learnt(whole: PictureFiles, train: Dataset[Any], asked: Data) -> Preparation:
    """From a few training pictures, evenly over all of them."""
    count = len(train)  # type: ignore[arg-type]  # a Subset has a length
    chosen = np.unique(np.linspace(0, count - 1, min(count, SEEN)).astype(int)).tolist()
    seen = [train[row] for row in chosen]
    x, y = torch.stack([picture for picture, _ in seen]), torch.tensor([label for _, label in seen])
    return fitted(Samples(x, y, whole.classes, reader=whole.reader), None, asked.scale)[0]


def _targets(data: Dataset[Any]) -> Tensor | None:
    """(N,) class numbers, where the data set has them at hand, as torchvision's do; None where it would have to be
    read."""
    found = getattr(data, "targets", None)
    try:
        targets = None if found is None else torch.as_tensor(np.asarray(found))
    except (TypeError, ValueError):
        return None
    return targets.long() if targets is not None and targets.ndim == 1 and not targets.is_floating_point() else None


def _classes(data: Dataset[Any]) -> tuple[str, ...] | None:
    found = getattr(data, "classes", None)
    return tuple(map(str, found)) if isinstance(found, (list, tuple)) else None
