"""Training data whose labels have changed places within each batch, so that they say nothing of their samples.

How often each label occurs stays the same. Batches that hold one label only are left as they are by it.
May not: train, judge, print, change the loader.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.data.around import Around
from torchdoctor.data.batch import as_batch
from torchdoctor.parts import Loader
from torchdoctor.probes.batch import mapped


class Exchanged(Around):
    """Iterates over a loader again and again; another order of labels in each batch of each pass, drawn from torch's
    global generator."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        for raw in self.loader:
            batch = as_batch(raw)
            yield (*batch.inputs, _exchanged(batch.target, batch.size))


def _exchanged(target: Any, size: int) -> Any:
    order = torch.randperm(size)

    def moved(t: Tensor) -> Tensor:
        return t[order.to(t.device)] if t.ndim and len(t) == size else t

    return mapped(target, moved)
