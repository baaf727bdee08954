"""Does the same seed give the same batch, the same loss and the same gradient?"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from torchdoctor.probes.batch import batches_of, tensors_in
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.fork import preserved, seeded
from torchdoctor.probes.probe import Measurement, probe


@probe(
    passes=2,
    measures={
        "batch_difference": "0..1: numbers of the first batch that differ when it is read again from the same seed",
        "gradient_difference": "1: length of what the gradient of a batch differs by when it is computed again from "
        "the same seed, over its length",
    },
)
def same_seed(bench: Bench) -> Iterator[Measurement]:
    """The first batch read twice, unless it comes from a stream, and one forward and backward pass of two forks, each
    after the same seeding; all random numbers that torchdoctor can reach begin in the same state."""
    if isinstance(bench.train, DataLoader) and not isinstance(bench.train.dataset, IterableDataset):
        yield Measurement("batch_difference", _difference(*(_first_batch(bench) for _ in range(2))))
    first, second = (_gradient(bench) for _ in range(2))
    length = float(first.norm())
    if length > 0 and torch.isfinite(first).all() and torch.isfinite(second).all():
        yield Measurement("gradient_difference", float((first - second).norm()) / length)


def _difference(one: list[Tensor], other: list[Tensor]) -> float:
    if [t.shape for t in one] != [t.shape for t in other]:
        return 1.0
    differ = sum(int(((a != b) & ~(a.isnan() & b.isnan())).sum()) for a, b in zip(one, other))
    return differ / max(1, sum(t.numel() for t in one))


def _first_batch(bench: Bench) -> list[Tensor]:
    with preserved(bench.original):
        seeded(0)
        batch = next(batches_of(bench.train, "train"))
        return [t.detach().clone() for t in tensors_in((batch.inputs, batch.target)) if not t.is_sparse]


def _gradient(bench: Bench) -> Tensor:
    seeded(0)
    parts = training(bench.fork())
    bench.loss(parts, bench.batches[0]).backward()  # type: ignore[no-untyped-call]
    found = [p.grad.flatten().double() for p in parts.model.parameters() if p.grad is not None and not p.grad.is_sparse]
    return torch.cat(found) if found else torch.zeros(1)
