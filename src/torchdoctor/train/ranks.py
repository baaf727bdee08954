"""Several processes that train one network together, started by torchrun: torch's DistributedDataParallel, or FSDP2.

    torchrun --nproc-per-node 2 -m -- torchdoctor train -c recipe.yaml

The -- is for torchrun, which else takes --run for a short form of an option of its own.

Each process takes its share of every batch, so that together they take the step that one would take. All draw the same
random numbers: their loaders shuffle alike, and so do their dropouts. The first process records, the others keep quiet.
May not: train, record, choose a device.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DistributedSampler

from torchdoctor.data.batch import Batch, mapped
from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader

Together = Literal["auto", "off"]


@dataclass(frozen=True)
class Ranks:
    """rank: which of `world` processes this is. shard: each holds a part of the weights, instead of all of them."""

    rank: int = 0
    world: int = 1
    shard: bool = False

    @property
    def first(self) -> bool:
        """True for the one that records."""
        return self.rank == 0

    def network(self, model: nn.Module) -> nn.Module:
        """What to call in a forward pass, so that backward leaves the mean gradient of all processes."""
        if self.world == 1 or self.shard:
            return model
        device = next(model.parameters()).device
        return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)

    def syncing(self, network: nn.Module, now: bool) -> AbstractContextManager[Any]:
        """Gradients are exchanged in the last backward of a step alone."""
        if self.shard:
            network.set_requires_gradient_sync(now)  # type: ignore[operator]  # fully_shard gave it this method
            return nullcontext()
        return nullcontext() if now or self.world == 1 else network.no_sync()  # type: ignore[operator]

    def shared(self, loader: Loader, batches: Iterable[Batch], epoch: int) -> Iterable[Batch]:
        """This process's share of each batch; those of a loader that shares by itself are taken as they come."""
        if self.world == 1 or getattr(loader, "world", 1) == self.world:
            return batches
        sampler = getattr(loader, "sampler", None)
        if isinstance(sampler, DistributedSampler):
            sampler.set_epoch(epoch)
            return batches
        return (self._share(batch) for batch in batches if batch.size >= self.world)

    def _share(self, batch: Batch) -> Batch:
        """Rows rank, rank + world, ... of each tensor; what does not divide evenly is left out of this batch."""
        rows = slice(self.rank, batch.size // self.world * self.world, self.world)
        return Batch(*(mapped(part, lambda t: t[rows]) for part in batch))

    def agreed(self, numbers: Mapping[str, float], samples: int) -> dict[str, float]:
        """What all go by: of training the mean over the samples of all, of validation what the first one found."""
        if self.world == 1:
            return dict(numbers)
        told: list[Any] = [None] * self.world
        distributed.all_gather_object(told, (samples, dict(numbers)))
        total = sum(count for count, _ in told)

        def mean(name: str) -> float:
            return float(sum(count * theirs[name] for count, theirs in told) / total)

        return {name: mean(name) if name.startswith("train_") else value for name, value in told[0][1].items()}

    def any(self, flag: bool) -> bool:
        """True when it is true in one of them."""
        if self.world == 1:
            return flag
        told: list[Any] = [None] * self.world
        distributed.all_gather_object(told, flag)
        return any(told)


ALONE = Ranks()


@contextmanager
def joined(together: Together = "auto") -> Iterator[Ranks]:
    """This process's place among those that torchrun started, by RANK and WORLD_SIZE; alone where there are none such.

    A process group that is there already is used and left open. Raises BadParts when the others cannot be reached.
    """
    if together == "off" or not (
        distributed.is_available() and (distributed.is_initialized() or _started_by_torchrun())
    ):
        yield ALONE
        return
    made = not distributed.is_initialized()
    if made:
        try:
            distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
        except (RuntimeError, ValueError) as error:
            said = str(error).splitlines()[0]
            raise BadParts(f"The other processes cannot be reached: {said}. Start all of them with torchrun.") from None
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
    finally:
        if made:
            distributed.destroy_process_group()


def _started_by_torchrun() -> bool:
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= os.environ.keys()


def is_first() -> bool:
    """True but in the second and further processes of torchrun, which have nothing to say."""
    return not _started_by_torchrun() or os.environ["RANK"] == "0"
