"""What a model answered over one pass of a loader, in the form that every measure of an evaluation reads.

May not: train, judge, draw random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from torchdoctor.data.batch import Batch, batches_of, first_tensor, mapped, scalar
from torchdoctor.errors import BadParts, one_line
from torchdoctor.evaluate.interval import Floats, Ints
from torchdoctor.evaluate.pixels import Counted, counted, labelled_by_pixel
from torchdoctor.evaluate.reading import Kind, Reading, reading_of
from torchdoctor.parts import Loader
from torchdoctor.train.device import device_of
from torchdoctor.train.score import Tally, evaluating

Column = Callable[[tuple[Any, ...], Any], Any]  # (inputs, target) of a batch -> one value per sample


@dataclass(frozen=True, eq=False)
class Answers:
    """One row per sample, in the loader's order.

    outputs: of classes log-probabilities (N, K), where one output that means yes or no is two classes; of labels logits
    (N, L); of pixels what was counted of each sample (N, 3, K), see evaluate/pixels.py; else numbers (N, C). truth:
    (N,) class numbers (of pixels the commonest), labels (N, L), or numbers (N, C). surprise: (N,) how wrong each answer
    is: -log of the probability of the truth (nats, mean over labels or pixels), or the squared error, mean over the
    columns. score: as training reports it. loss: mean of the
    model's own loss, NaN when none was given. rows: where each row stands in the loader, of which samples without a
    label are left out. columns: what was asked of each sample besides, (N,) each.
    """

    reading: Reading
    outputs: Floats
    truth: NDArray[Any]
    surprise: Floats
    score: float
    loss: float
    rows: Ints
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def kind(self) -> Kind:
        return self.reading.kind

    @property
    def log_odds(self) -> Floats:
        """(N, K) log-probabilities, or (N, L) logits."""
        return self.outputs

    @property
    def probabilities(self) -> Floats:
        """(N, K), each row adds up to 1."""
        return np.asarray(np.exp(self.outputs), np.float64)

    @property
    def guesses(self) -> Ints:
        """(N,) the likeliest class."""
        return np.asarray(self.outputs.argmax(1), np.int64)

    @property
    def confidence(self) -> Floats:
        """(N,) the probability of the likeliest class."""
        return np.asarray(np.exp(self.outputs.max(1)), np.float64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) is the likeliest class the true one?"""
        return np.asarray(self.guesses == self.truth)

    @property
    def right_share(self) -> Floats:
        """(N,) the share of each sample's classes, labels or pixels that is right."""
        if self.kind == "labels":
            return np.asarray(((self.outputs > 0) == (self.truth == 1)).mean(1), np.float64)
        if self.kind == "pixels":
            right, true, _ = self.outputs.sum(2).T
            return np.asarray(right / np.maximum(true, 1), np.float64)
        return self.right.astype(np.float64)

    def at(self, rows: Ints) -> Answers:
        """Of these rows alone; score and loss are still those of all."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Answers(
            self.reading, self.outputs[rows], self.truth[rows], self.surprise[rows], self.score, self.loss,
            self.rows[rows], columns,
        )  # fmt: skip


def answered(
    model: nn.Module,
    loader: Loader,
    name: str = "the loader",
    *,
    loss_fn: Callable[[Any, Any], Tensor] | None = None,
    columns: Mapping[str, Column] | None = None,
) -> Answers:
    """One pass in eval mode without gradients; the model's modes are put back. `name`: what messages call the loader.

    Raises BadParts when targets and outputs are neither one answer per sample (classes, yes or no, labels, numbers) nor
    one class per pixel, and when they are not finite.
    """
    tally, device = Tally(), device_of(model)
    outputs: list[Tensor] = []
    targets: list[Tensor] = []
    pixels: list[Counted] = []
    asked: dict[str, list[NDArray[Any]]] = {key: [] for key in columns or {}}
    with evaluating(model):
        for batch in batches_of(loader, name):
            inputs, target = batch.to(device)
            output = model(*inputs)
            tally.add(output, target, None if loss_fn is None else scalar(loss_fn(output, target)))
            made, truth = first_tensor(output).detach(), first_tensor(target).detach()
            if (pixels or not outputs) and labelled_by_pixel(made, truth):
                _must_be_finite(made, truth, name)
                pixels.append(counted(made, truth))
            elif pixels:
                raise BadParts(f"{name} begins with a class for every pixel and goes on with targets that are none.")
            else:
                outputs.append(made.double().cpu())
                targets.append(truth.cpu())
            for key, column in (columns or {}).items():
                asked[key].append(_per_sample(column, batch, key))
    together = {key: np.concatenate(values) for key, values in asked.items()}
    if pixels:
        return _of_pixels(pixels, tally, together)
    made, truth = torch.cat(outputs), torch.cat(targets)
    _must_be_finite(made, truth, name)
    return _answers(made, truth, tally, together)


def picked(loader: Loader, rows: Sequence[int] | Ints, name: str = "the loader") -> tuple[tuple[Any, ...], Any]:
    """(inputs, target) of the samples at these places of the loader, in this order, on the CPU."""
    wanted = np.unique(np.asarray(rows, np.int64))
    found: list[Batch] = []
    start = 0
    for batch in batches_of(loader, name):
        here = wanted[(wanted >= start) & (wanted < start + batch.size)] - start
        if len(here):
            found.append(_rows_of(batch, torch.from_numpy(here)))
        start += batch.size
    if not found:
        raise BadParts(f"{name} has {start} samples; none of those asked for is among them.")
    inputs, target = _joined([b.inputs for b in found]), _joined([b.target for b in found])
    order = torch.from_numpy(np.searchsorted(wanted, np.asarray(rows, np.int64)))
    return mapped(inputs, lambda t: t[order]), mapped(target, lambda t: t[order])


def _rows_of(batch: Batch, rows: Tensor) -> Batch:
    return Batch(*(mapped(part, lambda t: t.cpu()[rows]) for part in batch))


def samples_of(answers: Answers, loader: Loader, rows: Ints, name: str = "the loader") -> tuple[tuple[Any, ...], Any]:
    """(inputs, target) of these rows of the answers. Raises BadParts when the loader does not give them again in the
    order it gave them before."""
    inputs, target = picked(loader, answers.rows[rows], name)
    truth = answers.reading.truth(first_tensor(target)).numpy()
    if not np.array_equal(truth.astype(answers.truth.dtype), answers.truth[rows]):
        raise BadParts(f"{name} gives its samples in another order on every pass; give one that does not shuffle.")
    return inputs, target


def _of_pixels(found: Sequence[Counted], tally: Tally, columns: Mapping[str, NDArray[Any]]) -> Answers:
    pixels, commonest, surprise = (torch.cat(parts).numpy() for parts in zip(*found))
    if not pixels[:, 1].any():
        raise BadParts("No pixel has a label that an output stands for, so nothing can be evaluated.")
    reading, rows = Reading("pixels"), np.arange(len(pixels))
    score, loss = tally.score(), tally.loss()
    return Answers(
        reading, pixels.astype(np.float64), commonest, surprise.astype(np.float64), score, loss, rows, columns
    )


def _answers(output: Tensor, target: Tensor, tally: Tally, columns: Mapping[str, NDArray[Any]]) -> Answers:
    reading, score, loss = reading_of(output, target), tally.score(), tally.loss()
    truth, surprise = reading.truth(target).numpy(), reading.surprise(output, target).numpy()
    if reading.kind == "numbers":
        return Answers(reading, output.reshape(truth.shape).numpy(), truth.astype(np.float64), surprise, score, loss,
                       np.arange(len(truth)), columns)  # fmt: skip
    if reading.kind == "labels":
        odds = reading.log_odds(output).numpy()
        return Answers(reading, odds, truth, surprise, score, loss, np.arange(len(truth)), columns)
    known = np.flatnonzero(truth >= 0)  # -100 and the like mean: no label
    if not len(known):
        raise BadParts("No sample has a label (all are below 0), so nothing can be evaluated.")
    kept = {name: values[known] for name, values in columns.items()}
    odds = reading.log_odds(output).numpy()
    return Answers(reading, odds[known], truth[known], surprise[known], score, loss, known, kept)


def _must_be_finite(output: Tensor, target: Tensor, name: str) -> None:
    """A score of minus infinity is a class that is ruled out; anything else that is not finite is no answer."""
    wrong = output.isnan() | (output == math.inf) | (output.isinf() if output.numel() == target.numel() else False)
    if count := int(wrong.reshape(len(output), -1).any(1).sum()):
        raise BadParts(
            f"The model answers {count:,} of {len(output):,} samples of {name} with NaN or infinity, which cannot be "
            "scored. Look at the inputs (torchdoctor data) and at how it was trained (torchdoctor diagnose)."
        )
    if count := int((~target.isfinite()).reshape(len(target), -1).any(1).sum()):
        raise BadParts(
            f"The targets of {count:,} of {len(target):,} samples of {name} are NaN or infinite, which nothing can be "
            "scored against. Leave these samples out."
        )


def _per_sample(column: Column, batch: Batch, name: str) -> NDArray[Any]:
    """(N,) numbers or text."""
    try:
        values = column(batch.inputs, batch.target)
        found = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    except Exception as error:
        raise BadParts(
            f"Slice {name!r} failed: {one_line(error)}. It is called with the inputs (a tuple) and target of a batch."
        ) from error
    if found.shape != (batch.size,):
        raise BadParts(f"Slice {name!r} gave {found.shape} for a batch of {batch.size}; give one value per sample.")
    return found if found.dtype.kind in "biuf" else found.astype(str)


def _joined(parts: list[Any]) -> Any:
    """Nested tuples, lists and dicts of tensors, one after the other along the first dimension."""
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat(parts)
    if isinstance(first, dict):
        return {key: _joined([part[key] for part in parts]) for key in first}
    if isinstance(first, (tuple, list)):
        return type(first)(_joined(list(items)) for items in zip(*parts))
    return first
