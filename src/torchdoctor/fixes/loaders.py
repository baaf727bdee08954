"""A training loader cut anew: in another order, in batches of another size, with other chances, without some samples.

May not: train, judge, print, change the loader it is handed.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    WeightedRandomSampler,
)

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader
from torchdoctor.probes.batch import batches_of
from torchdoctor.probes.fork import reading

COPIED = ("num_workers", "collate_fn", "pin_memory", "timeout", "worker_init_fn", "prefetch_factor", "generator")


def recut(loader: Loader, *, batch_size: int | None = None, shuffle: bool | None = None) -> Loader:
    """The same samples; what is None stays. A loader of the user's own making is read once and kept in memory. Raises
    BadParts where the samples have no order to change, or do not fit together."""
    if isinstance(loader, DataLoader):
        return _dataloader(loader, batch_size, shuffle)
    if hasattr(loader, "loader"):  # what augments, or counts, the batches of another
        twin = copy.copy(loader)
        twin.loader = recut(loader.loader, batch_size=batch_size, shuffle=shuffle)
        return twin
    if isinstance(loader, TensorBatches):
        size = loader.batch_size if batch_size is None else batch_size
        order = loader.shuffle if shuffle is None else shuffle
        return _tensors(loader, loader.x, loader.y, size, order, loader.weights)
    return _gathered(loader, batch_size, shuffle)


def without(loader: Loader, rows: Collection[int]) -> Loader:
    """The same samples but those rows, counted from 0 in the order of the data set. Raises BadParts where they have no
    numbers, where none is there and where none is left."""
    if hasattr(loader, "loader"):  # what augments, or counts, the batches of another
        twin = copy.copy(loader)
        twin.loader = without(loader.loader, rows)
        return twin
    if isinstance(loader, TensorBatches):
        kept = _kept(len(loader.x), rows)
        chances = None if loader.weights is None else loader.weights[kept]
        return _tensors(loader, loader.x[kept], loader.y[kept], loader.batch_size, loader.shuffle, chances)
    known = _numbered(loader)
    settings = {name: getattr(known, name) for name in (*COPIED, "drop_last")}
    kept = _kept(len(known.dataset), rows)  # type: ignore[arg-type]
    order = isinstance(known.sampler, RandomSampler)
    return DataLoader(Subset(known.dataset, kept), known.batch_size, shuffle=order, **settings)


def in_order(loader: Loader) -> Loader:
    """A loader of the same samples in the order of the data set, each once. Raises BadParts as `weighted` does."""
    if hasattr(loader, "loader"):  # augmentation changes no label, and draws no other samples
        return in_order(loader.loader)
    if isinstance(loader, TensorBatches):
        return TensorBatches(loader.x, loader.y, loader.batch_size)
    if not isinstance(loader, DataLoader):
        return loader
    known = _numbered(loader)
    settings = {name: getattr(known, name) for name in ("num_workers", "collate_fn", "worker_init_fn")}
    return DataLoader(known.dataset, known.batch_size, shuffle=False, **settings)


def weighted(loader: Loader, chances: Tensor) -> Loader:
    """As many samples a pass, each drawn with its chance (N,), with replacement. A loader of the user's own making is
    read once and kept in memory. Raises BadParts where the samples have no numbers, or do not fit together."""
    if hasattr(loader, "loader"):  # what augments, or counts, the batches of another
        twin = copy.copy(loader)
        twin.loader = weighted(loader.loader, chances)
        return twin
    if isinstance(loader, TensorBatches):
        return _tensors(loader, loader.x, loader.y, loader.batch_size, loader.shuffle, chances)
    if not isinstance(loader, DataLoader):
        return weighted(_gathered(loader, None, None), chances)
    known = _numbered(loader)
    settings = {name: getattr(known, name) for name in (*COPIED, "drop_last")}
    sampler = WeightedRandomSampler(chances.tolist(), len(chances), generator=known.generator)
    return DataLoader(known.dataset, known.batch_size, sampler=sampler, **settings)


def _numbered(loader: Loader) -> DataLoader[Any]:
    """A DataLoader whose samples are numbered as its data set numbers them. Raises BadParts for any other."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        raise BadParts("The samples of this loader have no numbers; choose them in its code.")
    if not isinstance(loader.sampler, (RandomSampler, SequentialSampler)):
        raise BadParts("The sampler of this loader numbers samples in its own way; choose them in its code.")
    return loader


def _tensors(
    old: TensorBatches, x: Tensor, y: Tensor, batch_size: int, shuffle: bool, weights: Tensor | None
) -> TensorBatches:
    seed = old.generator.initial_seed()
    twin = TensorBatches(x, y, batch_size, shuffle, seed, weights=weights, rank=old.rank, world=old.world)
    twin.preparation = old.preparation
    return twin


def _kept(of: int, rows: Collection[int]) -> list[int]:
    kept = [i for i in range(of) if i not in rows]
    if not kept or len(kept) == of:
        raise BadParts(
            f"Of {of} samples {of - len(kept)} are to be left out; that leaves nothing to do, or to train on."
        )
    return kept


def _dataloader(loader: DataLoader[Any], batch_size: int | None, shuffle: bool | None) -> Loader:
    if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        raise BadParts("The dataset gives its samples in an order of its own; shuffle and batch them in its code.")
    settings = {name: getattr(loader, name) for name in COPIED}
    order: dict[str, Any] = {"sampler": loader.sampler} if shuffle is None else {"shuffle": shuffle}
    return DataLoader(loader.dataset, batch_size or loader.batch_size, **order, **settings)


def _gathered(loader: Loader, batch_size: int | None, shuffle: bool | None) -> Loader:
    batches = list(batches_of(reading(loader), "train"))
    if any(len(b.inputs) != 1 or b.inputs[0].shape[1:] != batches[0].inputs[0].shape[1:] for b in batches):
        raise BadParts("The batches of this loader cannot be put together; change their order or size in its code.")
    x, y = torch.cat([b.inputs[0] for b in batches]), torch.cat([b.target for b in batches])
    return TensorBatches(x, y, batch_size or batches[0].size, bool(shuffle))
