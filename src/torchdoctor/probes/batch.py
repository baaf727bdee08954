"""A Batch as probes see it: defined below them, because the loop and the score read loaders the same way."""

from __future__ import annotations

from torchdoctor.data.batch import (
    Batch,
    as_batch,
    batches_of,
    class_ids,
    first_tensor,
    mapped,
    moved,
    scalar,
    tensors_in,
)

__all__ = [
    "Batch",
    "as_batch",
    "batches_of",
    "class_ids",
    "first_tensor",
    "mapped",
    "moved",
    "scalar",
    "tensors_in",
]
