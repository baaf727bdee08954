"""Do the workers of a loader, and its epochs, draw random numbers of their own?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset

from torchdoctor.probes.batch import tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.fork import seeded
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.survey import fingerprints

WORKERS, DRAWS = 2, 4  # as few as can differ; draws of each worker and epoch


@probe(
    passes=0,
    seconds=0.5,  # of starting two workers twice
    measures={
        "drawn_again_by_epoch": "0..1: draws of one sample that are the same in the next epoch",
        "drawn_again_by_worker": "0..1: draws of one sample that are the same in the other worker",
    },
)
def augmentation_draws(bench: Bench) -> Iterator[Measurement]:
    """One sample, read several times by two workers started as the loader's are, twice.

    Only where the loader has workers and the sample, read twice in this process, comes out different: so nearly every
    loader costs two reads.
    """
    loader = bench.original.train
    if not isinstance(loader, DataLoader) or loader.num_workers < 1 or isinstance(loader.dataset, IterableDataset):
        return
    alone = []
    for seed in (0, 1):
        seeded(seed)
        alone.append(_print(loader.dataset[0]))
    if len(set(alone)) == 1:
        return  # nothing is drawn, or the same for ever, as where a sample's number is the seed
    reader = _reader(loader)
    epochs = [[_print(item) for item in reader] for _ in range(2)]
    yield Measurement("drawn_again_by_epoch", _share(*epochs))
    if loader.num_workers > 1:
        yield Measurement("drawn_again_by_worker", _share(epochs[0][0::WORKERS], epochs[0][1::WORKERS]))


def _reader(loader: DataLoader[Any]) -> DataLoader[Any]:
    """The first sample over and over; with two workers the odd draws are one's and the even ones the other's."""
    workers = min(WORKERS, loader.num_workers)
    return DataLoader(
        loader.dataset,
        batch_size=None,
        sampler=list(repeat(0, DRAWS * workers)),
        num_workers=workers,
        worker_init_fn=loader.worker_init_fn,
        multiprocessing_context=loader.multiprocessing_context,
        persistent_workers=loader.persistent_workers,
        timeout=30,
    )


def _print(item: Any) -> int:
    tensors = tensors_in(torch.utils.data.default_convert(item))  # type: ignore[no-untyped-call]
    return hash(tuple(fingerprints([t[None] for t in tensors])))


def _share(one: list[int], other: list[int]) -> float:
    return sum(a == b for a, b in zip(one, other)) / max(1, min(len(one), len(other)))
