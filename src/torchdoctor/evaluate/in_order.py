"""Loaders that give their samples in one fixed order, so that a sample has a number.

May not: change the loader it is given.
"""

from __future__ import annotations

from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from torchdoctor.data.augment.loader import Augmented
from torchdoctor.data.batches import TensorBatches
from torchdoctor.parts import Loader

BATCH = 64  # where the loader does not say


def in_order(loader: Loader) -> Loader:
    """The same samples without shuffling, sampling, augmenting or dropping any: of a DataLoader, and of loaders that
    hold all samples as tensors x and y. Any other loader is taken as it is."""
    if isinstance(loader, Augmented):
        loader = loader.loader
    x, y = getattr(loader, "x", None), getattr(loader, "y", None)
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        return TensorBatches(x, y, getattr(loader, "batch_size", None) or BATCH)
    if type(loader) is DataLoader and not isinstance(loader.dataset, IterableDataset):
        size = loader.batch_size or BATCH
        return DataLoader(loader.dataset, size, collate_fn=loader.collate_fn, num_workers=loader.num_workers)
    return loader
