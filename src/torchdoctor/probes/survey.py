"""One pass over a loader, in this process: what is needed of the data without keeping it.

May not: judge, print, keep samples (fingerprints and labels only).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

from torchdoctor.errors import BadParts
from torchdoctor.examine.duplicates import blank
from torchdoctor.parts import Loader
from torchdoctor.probes.batch import Batch, as_batch, tensors_in
from torchdoctor.probes.stopwatch import Stopwatch

KEPT = 64  # target values kept per sample


@dataclass
class Moments:
    """Running sums over everything, and over the features of tensors that keep their width from batch to batch."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    absmax: float = 0.0
    features: dict[int, Tensor] = field(default_factory=dict)  # input number -> (5, F): n, sum, squares, min, max

    def add(self, number: int, x: Tensor) -> None:
        """x: (N, ...), floats, any dtype; values that are not finite are left out."""
        v = x.detach().to("cpu", torch.float64)
        good = torch.isfinite(v)
        clean = torch.where(good, v, 0.0)
        self.count += int(good.sum())
        self.total += float(clean.sum())
        self.squares += float(clean.square().sum())
        self.absmax = max(self.absmax, float(clean.abs().max()) if v.numel() else 0.0)
        self._add_features(number, _by_feature(v), _by_feature(good))

    def _add_features(self, number: int, v: Tensor, good: Tensor) -> None:
        clean = torch.where(good, v, 0.0)
        low = torch.where(good, v, torch.inf).amin(0)
        high = torch.where(good, v, -torch.inf).amax(0)
        now = torch.stack([good.sum(0).double(), clean.sum(0), clean.square().sum(0), low, high])
        old = self.features.get(number)
        if old is None:
            self.features[number] = now
        elif old.shape == now.shape:
            old[:3] += now[:3]
            old[3], old[4] = torch.minimum(old[3], low), torch.maximum(old[4], high)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else float("nan")

    @property
    def std(self) -> float:
        return max(0.0, self.squares / self.count - self.mean**2) ** 0.5 if self.count else float("nan")

    def by_feature(self) -> tuple[Tensor, Tensor, Tensor]:
        """Mean, standard deviation and whether it varies, each (features of all inputs,)."""
        n, total, squares, low, high = torch.cat(list(self.features.values()), dim=1)
        mean = total / n.clamp(min=1)
        return mean, (squares / n.clamp(min=1) - mean.square()).clamp(min=0).sqrt(), high > low


@dataclass
class Survey:
    """What one pass saw. names: the dataset's index of each sample; prints: its fingerprint; bad_*: names of samples
    with NaN or infinity."""

    samples: int = 0
    names: list[int] = field(default_factory=list)
    complete: bool = False
    indexed: bool = False  # names are indices of the dataset, not places in the order of reading
    inputs: Moments = field(default_factory=Moments)
    targets: Moments = field(default_factory=Moments)
    dtypes: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, list[int]] = field(default_factory=dict)
    bad_inputs: list[int] = field(default_factory=list)
    bad_targets: list[int] = field(default_factory=list)
    prints: list[int] = field(default_factory=list)
    blank: set[int] = field(default_factory=set)  # prints of samples that are one value throughout: none is a copy
    batch_prints: list[int] = field(default_factory=list)
    labels: list[Tensor] = field(default_factory=list)  # the first target tensor of each batch; of masks, a choice

    def add(self, batch: Batch, indices: Sequence[int] | None) -> None:
        names = list(range(self.samples, self.samples + batch.size)) if indices is None else list(indices)
        inputs, targets = list(tensors_in(batch.inputs)), list(tensors_in(batch.target))
        if not self.samples:
            self.shapes = {"inputs": list(inputs[0].shape), "targets": list(targets[0].shape)}
            self.dtypes = {"inputs": _dtype(inputs[0]), "targets": _dtype(targets[0])}
        for moments, tensors in ((self.inputs, inputs), (self.targets, targets)):
            for number, x in enumerate(t for t in tensors if moments is self.targets or t.is_floating_point()):
                moments.add(number, x.reshape(-1, 1) if x.ndim < 2 else x)
        self.names += names[: batch.size]
        self.indexed = indices is not None
        self.bad_inputs += _not_finite(inputs, names)
        self.bad_targets += _not_finite(targets, names)
        prints = fingerprints(inputs)
        self.prints += prints
        self.blank.update(p for p, is_blank in zip(prints, blank(inputs[0])) if is_blank)
        self.batch_prints.append(hash(tuple(prints)))
        self.labels.append(_thinned(targets[0].detach().cpu()))
        self.samples += batch.size


def survey(loader: Loader, name: str, seconds: float) -> Survey:
    """Read `loader` until it ends or the time is up; `name` is what messages call it."""
    seen, stopwatch = Survey(), Stopwatch()
    for indices, batch in indexed(loader, name):
        seen.add(batch, indices)
        if stopwatch.on_the_clock > seconds:
            return seen
    if not seen.samples:
        raise BadParts(f"{name} is empty: it gave no batch. Look at the dataset's length, batch_size and drop_last.")
    seen.complete = True
    return seen


def indexed(loader: Loader, name: str) -> Iterator[tuple[Sequence[int] | None, Batch]]:
    """Batches with the dataset indices of their samples; None where the loader does not tell."""
    if not _tells_indices(loader):
        yield from ((None, as_batch(raw, name)) for raw in loader)
        return
    assert isinstance(loader, DataLoader)
    assert loader.batch_sampler is not None
    dataset, together = loader.dataset, getattr(loader.dataset, "__getitems__", None)
    for indices in loader.batch_sampler:
        items = together(indices) if together else [dataset[i] for i in indices]
        yield indices, as_batch(loader.collate_fn(items), name)


def _tells_indices(loader: Loader) -> bool:
    return (
        isinstance(loader, DataLoader)
        and type(loader).__iter__ is DataLoader.__iter__
        and isinstance(loader.batch_sampler, BatchSampler)
        and not isinstance(loader.dataset, IterableDataset)
    )


def _by_feature(x: Tensor) -> Tensor:
    """(N, ...) -> (values, features): columns of a table, else the shorter of the first axis and the last."""
    axis = 1 if x.ndim > 2 and x.shape[1] <= x.shape[-1] else -1
    return x.movedim(axis, -1).reshape(-1, x.shape[axis])


def _not_finite(tensors: list[Tensor], names: list[int]) -> list[int]:
    bad: Counter[int] = Counter()
    for x in tensors:
        if x.is_floating_point() and x.ndim and not bool(torch.isfinite(x).all()):
            rows = ~torch.isfinite(x.reshape(len(x), -1)).all(1)
            bad.update(names[int(i)] for i in rows.nonzero() if int(i) < len(names))
    return sorted(bad)


def fingerprints(inputs: list[Tensor]) -> list[int]:
    """A hash of each sample's bytes. Two thirds of a second for 60,000 images of 28 x 28 floats."""
    rows: list[Any] = [x.detach().cpu().contiguous().numpy() for x in inputs if x.ndim and x.dtype != torch.bfloat16]
    return [hash(tuple(r[i].tobytes() for r in rows)) for i in range(min(map(len, rows), default=0))]


def _thinned(target: Tensor) -> Tensor:
    """Masks and images as targets would fill the memory: of those, evenly spaced values of the batch."""
    if target.numel() <= KEPT * max(1, len(target) if target.ndim else 1):
        return target
    return target.reshape(-1)[:: -(-target.numel() // (KEPT * len(target)))]


def _dtype(x: Tensor) -> str:
    return str(x.dtype).removeprefix("torch.")
