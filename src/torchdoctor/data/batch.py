"""What a loader gives, as (inputs, target): one shape for the loop, the score and the probes.

May not: train, judge, draw random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchdoctor.errors import BadParts, TorchDoctorError, one_line
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
    given = 0
    for raw in _unbroken(loader, name):
        given += 1
        yield as_batch(raw, name)
    if not given and not may_be_empty:
        raise BadParts(f"{name} is empty: it gave no batch. Look at the dataset's length, batch_size and drop_last.")


def _unbroken(loader: Loader, name: str) -> Iterator[Any]:
    """Its batches; an error on the way says which loader it was, and after how many."""
    given = 0
    try:
        for raw in loader:
            yield raw
            given += 1
    except TorchDoctorError:
        raise
    except Exception as error:
        raise BadParts(f"{name} failed after {given} batches: {one_line(error)}") from error


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


def scalar(loss: Any) -> Tensor:
    """The loss itself if it is one number. Raises BadParts when it is not."""
    if not isinstance(loss, Tensor):
        what = {type(None): "None: is its `return` missing?", float: "a float: return the loss without .item()."}
        said = what.get(type(loss), f"a {type(loss).__name__}: return one tensor, the sum of the losses if several.")
        raise BadParts(f"loss_fn must return a tensor of one number; it returned {said}")
    if loss.numel() != 1:
        raise BadParts(
            f"loss_fn returned {tuple(loss.shape)} numbers, not one. Use reduction='mean', or pass "
            "lambda output, target: your_loss(output, target).mean()."
        )
    return loss.reshape(()) if loss.ndim else loss


def class_ids(target: Tensor) -> Tensor:
    """Class numbers, int64: of ids as they are, of one-hot or probability rows (N, K, ...) the largest."""
    if target.is_floating_point() and target.ndim > 1 and target.shape[1] > 1:
        return target.argmax(1)
    return target.long()


def first_tensor(value: Any) -> Tensor:
    """The first tensor inside nested tuples, lists and dicts. Raises BadParts when there is none."""
    found = next(tensors_in(value), None)
    if found is None:
        raise BadParts(f"The model returned a {type(value).__name__} without a tensor in it. Return the output tensor.")
    return found


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


def mapped(value: Any, fn: Callable[[Tensor], Tensor]) -> Any:
    """Nested tuples, lists and dicts with `fn` of each tensor in its place."""
    if isinstance(value, Tensor):
        return fn(value)
    if isinstance(value, (tuple, list)):
        items = [mapped(item, fn) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: mapped(item, fn) for key, item in value.items()}
    return value


def moved(value: Any, device: torch.device) -> Any:
    """Nested tuples, lists and dicts with their tensors on the device; nothing is copied that is there already."""
    # Back to the CPU it must wait: what is read there before the copy has ended is garbage.
    return mapped(value, lambda tensor: tensor.to(device, non_blocking=device.type == "cuda"))
