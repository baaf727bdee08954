"""Read the training samples once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "train = DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=4, persistent_workers=True)\n"
        "# or, where the samples fit into memory and are the same in each epoch:\n"
        "train = DataLoader([dataset[i] for i in range(len(dataset))], batch_size=batch_size, shuffle=True)"
    )


@fix(code=code)
def keep_in_memory(parts: Parts) -> Parts:
    """Hold every training sample in memory as it is read for the first time; the order stays the loader's own.

    A loader that is no DataLoader stays as it is. Raises BadParts where a sample is another each time it is read, as
    random augmentation makes it: workers that read ahead are then the way.
    """
    import copy

    from torch.utils.data import DataLoader, IterableDataset

    from torchdoctor.probes.fork import preserved

    loader = parts.train
    if not isinstance(loader, DataLoader):
        return parts
    if isinstance(loader.dataset, IterableDataset):
        raise BadParts("The dataset is a stream, which cannot be kept. Read ahead: DataLoader(..., num_workers=4).")
    with preserved(parts):
        if not _same(loader.dataset[0], loader.dataset[0]):
            raise BadParts("Samples are new each time they are read. Read ahead instead: DataLoader(num_workers=4).")
    twin = copy.copy(loader)
    vars(twin).update(dataset=_Kept(loader.dataset), _iterator=None)  # the class forbids setting it the plain way
    return replace(parts, train=twin)


class _Kept:
    """A dataset whose samples are read once."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._read: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Any:
        if index not in self._read:
            self._read[index] = self._dataset[index]
        return self._read[index]

    def __getattr__(self, name: str) -> Any:
        if name == "_dataset":  # not there yet, while a copy of this is being made
            raise AttributeError(name)
        return getattr(self._dataset, name)


def _same(one: Any, other: Any) -> bool:
    import torch

    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other))
    one, other = torch.as_tensor(one), torch.as_tensor(other)
    return torch.equal(torch.nan_to_num(one), torch.nan_to_num(other))
