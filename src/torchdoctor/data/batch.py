"""What a loader gives, as (inputs, target): one shape for the loop, the score and the probes.

May not: train, judge, draw random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader


class Batch(NamedTuple):
    """model(*inputs) -> output; loss_fn(output, target) -> loss."""

    inputs: tuple[Any, ...]
    target: Any

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(moved(self.inputs, device), moved(self.target, device))

    @property
    def size(self) -> int:
        """Samples in the batch, by the first tensor in it."""
        return next((len(t) for t in tensors_in((self.inputs, self.target)) if t.ndim), 1)


def batches_of(loader: Loader, name: str, *, may_be_empty: bool = False) -> Iterator[Batch]:
    """The batches of one new pass over the loader; `name` is what messages call it. Raises BadParts when it is empty,
    when it can be read only once, and when what it gives is not (inputs, target)."""
    if hasattr(loader, "__next__"):
        raise BadParts(
            f"{name} is an iterator that can be read only once, and every epoch reads it anew. "
            "Give the loader itself, or list(...) of its batches."
        )
    empty = True
    for raw in loader:
        empty = False
        yield as_batch(raw, name)
    if empty and not may_be_empty:
        raise BadParts(f"{name} is empty: it gave no batch. Look at the dataset's length, batch_size and drop_last.")


def as_batch(raw: Any, name: str = "train") -> Batch:
    """(inputs, target) or (input_1, ..., input_n, target). Raises BadParts for anything else."""
    wrap = "Wrap the loader so that each batch is (inputs, target)"
    if isinstance(raw, dict):
        keys = ", ".join(map(str, list(raw)[:6]))
        raise BadParts(
            f"{name} gives dicts (keys: {keys}). {wrap}: torchdoctor.data.pairs.Pairs(loader, inputs=..., target=...)."
        )
    if not isinstance(raw, (tuple, list)) or len(raw) < 2:
        what = f"lists of {len(raw)}" if isinstance(raw, (tuple, list)) else f"single {type(raw).__name__}s"
        raise BadParts(f"{name} gives {what}. {wrap}; for an autoencoder (inputs, inputs).")
    *inputs, target = raw
    if next(tensors_in(inputs), None) is None:
        raise BadParts(f"{name} gives inputs of type {type(inputs[0]).__name__}. {wrap} of torch tensors.")
    if next(tensors_in(target), None) is None:
        raise BadParts(f"{name} gives targets of type {type(target).__name__}. {wrap} of torch tensors.")
    return Batch(tuple(inputs), target)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors inside nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)


def moved(value: Any, device: torch.device) -> Any:
    """Nested tuples, lists and dicts with their tensors on the device; nothing is copied that is there already."""
    if isinstance(value, Tensor):
        return value.to(device, non_blocking=device.type == "cuda")
    if isinstance(value, (tuple, list)):
        items = [moved(item, device) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    return value
