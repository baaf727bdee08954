"""The Bench: forked parts and a few batches, laid out for experiments.

May not: judge, print, touch the user's own objects other than by reading batches.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Literal

import torch
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import (
    Batch,
    as_batch,
    batches_of,
    class_ids,
    first_tensor,
    moved,
    scalar,
    tensors_in,
)
from torchdoctor.probes.fork import forked, reading
from torchdoctor.probes.survey import Survey, survey

__all__ = [
    "Batch",
    "Bench",
    "as_batch",
    "batches_of",
    "class_ids",
    "first_tensor",
    "moved",
    "scalar",
    "tensors_in",
    "training",
]

Kind = Literal["classes", "binary", "multilabel", "continuous", "other"]
MANY = 16  # targets of which only two values are no accident
BATCHES = 4  # enough to see a constant output or a repeated batch, few enough to keep in memory
SAMPLES, MOST = 32, 32  # of small batches more are kept, until there are so many samples, or so many batches
FOR_TRAIN = 0.7  # share of the patience; what is left of it is for validation


class Bench:
    """parts: forked copies of model, loss, optimizer and scheduler; original: the user's own, to look at only.
    train, val: the user's data, to be read anew.

    batches: the first few of training; val_batches: of validation, on the model's device both. kind: what the targets
    are. Nothing done to `parts` reaches the user's own; a probe that changes them takes a `fork()` for itself.
    """

    def __init__(self, parts: Parts, *, patience: float = 3.0) -> None:
        """patience: seconds that reading data may take, for the probes that read more than the batches here."""
        self.original = parts
        self.patience = patience
        self.device = next((p.device for p in parts.model.parameters()), torch.device("cpu"))
        self.train, self.val = reading(parts.train), None if parts.val is None else reading(parts.val)
        self.batches = [b.to(self.device) for b in _first(batches_of(self.train, "train"))]
        given = iter(()) if self.val is None else batches_of(self.val, "val")  # a stream has no truth value
        self.val_batches = [b.to(self.device) for b in _first(given)]

    @cached_property
    def surveyed(self) -> Survey:
        """What one pass over the training data saw, cut off when the patience ends."""
        return survey(self.train, "train", self.patience * FOR_TRAIN)

    @cached_property
    def surveyed_val(self) -> Survey | None:
        """The same of validation; None when there is none."""
        return None if self.val is None else survey(self.val, "val", self.patience * (1 - FOR_TRAIN))

    @cached_property
    def parts(self) -> Parts:
        """One fork that all probes may run forwards on. Raises BadParts when the model cannot be copied."""
        return forked(self.original)

    def fork(self) -> Parts:
        """Another independent copy, for a probe that trains."""
        return forked(self.original)

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

    def step(self, parts: Parts, batch: Batch) -> Tensor:
        """Clear, forward, backward, step, by the parts' own optimizer; the loss before the step, detached."""
        losses: list[Tensor] = []

        def closure() -> Tensor:  # all of torch's optimizers take one, and some need it
            parts.model.zero_grad(set_to_none=True)
            loss = self.loss(parts, batch)
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
            return loss

        parts.optimizer.step(closure)  # type: ignore[arg-type]
        return losses[0]

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


def _first(batches: Iterator[Batch]) -> Iterator[Batch]:
    """A handful of samples at least: batches of one would show one class and a scale that cannot be told."""
    samples = 0
    for number, batch in enumerate(islice(batches, MOST), 1):
        yield batch
        samples += batch.size
        if number >= BATCHES and samples >= SAMPLES:
            return


def training(parts: Parts) -> Parts:
    """The same, in training mode; layers that a model in training mode keeps in eval mode (frozen norms) stay there."""
    if not parts.model.training:
        parts.model.train()
    return parts


def target_kind(targets: list[Tensor], output: Tensor | None) -> Kind:
    """classes: ids, or rows that sum to 1. binary: one of two whole numbers per sample. multilabel: several 0 or 1.
    continuous: all else. other: no tensors.

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
    two = len(distinct) == 2 and all(v == round(v) for v in distinct) and len(values) >= MANY
    if distinct and (distinct <= {0.0, 1.0} or two):
        if first.numel() == len(first):
            return "binary"
        return "classes" if _rows_sum_to_one(first) else "multilabel"
    return "classes" if first.is_floating_point() and _rows_sum_to_one(first) else "continuous"


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
