"""The Bench: forked parts and a few batches, laid out for experiments.

May not: judge, print, touch the user's own objects other than by reading batches.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader, Parts
from torchdoctor.probes.fork import forked, reading

Kind = Literal["classes", "binary", "multilabel", "continuous", "other"]
BATCHES = 4  # enough to see a constant output or a repeated batch, few enough to keep in memory


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


class Bench:
    """parts: forked copies of model, loss, optimizer and scheduler. train, val: the user's data, to be read anew.

    batches: the first few of training; val_batches: of validation, on the model's device both. kind: what the targets
    are. Nothing done to `parts` reaches the user's own; a probe that changes them takes a `fork()` for itself.
    """

    def __init__(self, parts: Parts, *, patience: float = 3.0) -> None:
        """patience: seconds that reading data may take, for the probes that read more than the batches here."""
        self._original = parts
        self.patience = patience
        self.device = next((p.device for p in parts.model.parameters()), torch.device("cpu"))
        self.train, self.val = reading(parts.train), None if parts.val is None else reading(parts.val)
        self.batches = [b.to(self.device) for b in islice(batches_of(self.train, "train"), BATCHES)]
        self.val_batches = [b.to(self.device) for b in islice(batches_of(self.val, "val"), BATCHES)] if self.val else []

    @cached_property
    def parts(self) -> Parts:
        """One fork that all probes may run forwards on. Raises BadParts when the model cannot be copied."""
        return forked(self._original)

    def fork(self) -> Parts:
        """Another independent copy, for a probe that trains."""
        return forked(self._original)

    def fresh(self, seed: int = 0) -> Parts | None:
        """A copy whose parameters are drawn anew, by the modules' own reset_parameters() and an empty optimizer state;
        None when no module can. Parameters of modules that cannot stay as they are."""
        twin = self.fork()
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(seed)
            # Children first: a container that draws for all it holds (a Transformer) has the last word.
            drawn = [_drawn_anew(module) for module in reversed(list(twin.model.modules()))]
        twin.optimizer.state.clear()
        return twin if any(drawn) else None

    def output(self, model: nn.Module, batch: Batch) -> Tensor:
        """The model's output for the batch; the first tensor where it gives several."""
        return first_tensor(model(*batch.inputs))

    def loss(self, parts: Parts, batch: Batch) -> Tensor:
        """The loss of one forward pass, as a scalar."""
        return scalar(parts.loss_fn(parts.model(*batch.inputs), batch.target))

    @cached_property
    def kind(self) -> Kind:
        """What the targets are, by their values and by how many numbers the model gives for each."""
        targets = [b.target for b in self.batches if isinstance(b.target, Tensor)]
        try:
            with torch.no_grad():
                output = self.output(self.parts.model, self.batches[0])
        except Exception:  # noqa: BLE001 - a model that fails is reported by the probes; here the targets must do
            output = None
        return target_kind(targets, output)


def batches_of(loader: Loader, name: str) -> Iterator[Batch]:
    """The batches of one new pass over the loader; `name` is what messages call it. Raises BadParts when it is empty,
    when it can be read only once, and when what it gives is not (inputs, target)."""
    if hasattr(loader, "__next__"):
        raise BadParts(
            f"{name} is an iterator that can be read only once, and checking would use it up. "
            "Give the loader itself, or list(...) of its batches."
        )
    empty = True
    for raw in loader:
        empty = False
        yield as_batch(raw, name)
    if empty:
        raise BadParts(f"{name} is empty: it gave no batch. Look at the dataset's length, batch_size and drop_last.")


def as_batch(raw: Any, name: str = "train") -> Batch:
    """(inputs, target) or (input_1, ..., input_n, target). Raises BadParts for anything else."""
    wrap = "Wrap the loader so that each batch is (inputs, target)"
    if isinstance(raw, dict):
        keys = ", ".join(map(str, list(raw)[:6]))
        raise BadParts(f"{name} gives dicts (keys: {keys}). {wrap}, for example (batch['x'], batch['y']).")
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
        raise BadParts(f"loss_fn returned a {type(loss).__name__}, not a tensor. Return the loss without .item().")
    if loss.numel() != 1:
        raise BadParts(
            f"loss_fn returned {tuple(loss.shape)} numbers, not one. Use reduction='mean', or pass "
            "lambda output, target: your_loss(output, target).mean()."
        )
    return loss.reshape(())


def target_kind(targets: list[Tensor], output: Tensor | None) -> Kind:
    """classes: ids, or rows that sum to 1. binary: one 0/1 (or -1/1) per sample. multilabel: several. Else continuous.

    Whole numbers are classes where the model gives more than one number for each, and counts where it gives one.
    """
    if not targets:
        return "other"
    values = torch.cat([t.detach().reshape(-1)[:10_000].double() for t in targets])
    values = values[torch.isfinite(values)]
    first = targets[0]
    distinct = set(values.tolist())
    columns = 1 if output is None else output.numel() // max(1, first.numel())
    if all(v == round(v) for v in distinct) and _as_many(distinct, columns, first, output):
        return "classes"
    if distinct and (distinct <= {0.0, 1.0} or distinct <= {-1.0, 1.0}):
        if first.numel() == len(first):
            return "binary"
        return "classes" if _rows_sum_to_one(first) else "multilabel"
    return "classes" if first.is_floating_point() and _rows_sum_to_one(first) else "continuous"


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


def moved(value: Any, device: torch.device) -> Any:
    """Nested tuples, lists and dicts with their tensors on the device."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, (tuple, list)):
        items = [moved(item, device) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: moved(item, device) for key, item in value.items()}
    return value


def _as_many(distinct: set[float], columns: int, target: Tensor, output: Tensor | None) -> bool:
    """Whether whole numbers can be ids of the model's columns; as floats only when there are not many more of them."""
    if target.is_floating_point():
        return columns > 1 and len(distinct) <= columns + 1
    return columns > 1 or output is None


def _rows_sum_to_one(target: Tensor) -> bool:
    if target.ndim < 2 or target.shape[1] < 2:
        return False
    sums = target.detach().double().sum(1)
    return bool((target >= 0).all()) and bool((sums - 1).abs().max() < 1e-4)


def _drawn_anew(module: nn.Module) -> bool:
    """True when the module has a reset_parameters() (or, as torch's attention, a private one) and it was called."""
    reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
    if not callable(reset) or inspect.signature(reset).parameters:
        return False
    reset()
    return True
