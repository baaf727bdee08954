"""A handful of samples for the experiments on outputs and losses: one batch, joined or cut to a useful size.

May not: judge, print, run the model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from torchdoctor.probes.batch import Batch
from torchdoctor.probes.bench import Bench

LEAST = 32  # fewer say little of the range of the targets; then further batches are joined
MOST = 256  # more cost time and say the same


def sample(bench: Bench, most: int = MOST) -> Batch:
    """The first training batch; with the next ones where it is small, its first samples where it is large."""
    whole = bench.batches[0]
    for batch in bench.batches[1:]:
        if whole.size >= min(LEAST, most):
            break
        whole = joined(whole, batch) or whole
    return head(whole, most)


def head(batch: Batch, samples: int) -> Batch:
    """The first samples. The batch as it is where its tensors do not all count samples in their first dimension."""
    size = batch.size
    parts = (*batch.inputs, batch.target)
    if size <= samples or not all(isinstance(t, Tensor) and t.ndim and len(t) == size for t in parts):
        return batch
    *inputs, target = (t[:samples] for t in parts)
    return Batch(tuple(inputs), target)


def joined(a: Batch, b: Batch) -> Batch | None:
    """Both in one; None where they do not fit together, as sequences of different lengths."""
    pairs: list[tuple[Any, Any]] = list(zip((*a.inputs, a.target), (*b.inputs, b.target)))
    if not all(
        isinstance(x, Tensor) and isinstance(y, Tensor) and x.ndim and x.shape[1:] == y.shape[1:] for x, y in pairs
    ):
        return None
    *inputs, target = (torch.cat(pair) for pair in pairs)
    return Batch(tuple(inputs), target)
