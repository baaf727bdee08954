"""One fixed score for a model: how well outputs agree with targets, higher is better, whatever the loss is.

- integer classes beside (N, K) outputs: share of samples whose largest output is the right one; one-hot rows the same,
  and rows of shares that sum to one (mixup, smoothed labels), whose largest counts.
- 0/1 targets, one output each: area under the ROC curve; several 0/1 columns: its mean over the columns.
- other numbers: R2, mean over the columns.

None of these changes when a softmax or sigmoid is added or taken away, so that a fix of the output cannot win by
changing the measure.
May not: train, print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from torchdoctor.data.batch import batches_of, first_tensor
from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader
from torchdoctor.train.device import device_of

Floats = NDArray[np.float64]
WAITING = 64  # batches whose losses and guesses are summed at once ...
LARGE = 1_000_000  # ... unless one holds so many targets (pictures labelled pixel by pixel)


def score(model: nn.Module, loader: Loader) -> float:
    """The score over one pass of the loader, in eval mode and without gradients; the modes are put back afterwards.

    NaN where it is not defined: only one class present, or outputs that are not finite.
    """
    tally, device = Tally(), device_of(model)
    with evaluating(model):
        for batch in batches_of(loader, "the loader to score"):
            inputs, target = batch.to(device)
            tally.add(model(*inputs), target)
    return tally.score()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; afterwards every module is in the mode it was in (not all in training mode)."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


class Tally:
    """Adds up what a score and a mean loss need, batch by batch, without waiting for the device after the first.

    Which score it is, the first batch decides. Classes and R2 need a few sums; only an area under the curve needs every
    output, one number a sample. Sums are taken of many batches at once: small nets would feel it else.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._loss: Tensor | None = None  # summed over samples
        self._hits: Tensor | None = None  # (2,): right ones, counted ones
        self._squares: Tensor | None = None  # (4, columns): count, error squared, sum and squared sum of truth - shift
        self._shares: bool | None = None  # targets are shares of classes, as the first batch has it
        self._shift: Tensor | None = None  # (columns,): the first truth, so that large offsets cost no digits
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._losses: list[Tensor] = []  # these three wait to be summed
        self._guesses: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, output: Any, target: Any, loss: Tensor | None = None) -> None:
        """output, target: of one batch. loss: its mean over the batch."""
        output, target = first_tensor(output).detach(), first_tensor(target)
        size = len(target) if target.ndim else 1
        self.samples += size
        if loss is not None:
            self._losses.append(loss.detach() * size)
        if self._shares is None:
            self._shares = _are_shares(output, target)
        if self._shares:
            target = target.argmax(1)
        classes = _class_dimension(output, target)
        if classes is not None:
            self._guesses.append(output.argmax(classes).reshape(-1))
            self._labels.append(target.reshape(-1))
        elif output.numel() == target.numel():
            self._add_columns(*_columns(output.reshape(target.shape), target))
        else:
            raise BadParts(
                f"Outputs of shape {tuple(output.shape)} cannot be scored against targets of shape "
                f"{tuple(target.shape)}. Give Experiment(score=...) a function of your own."
            )
        if max(len(self._losses), len(self._labels)) >= WAITING or target.numel() > LARGE:
            self._sum_up()

    def _add_columns(self, output: Tensor, target: Tensor) -> None:
        if self._shift is None and not self._targets and not bool(((target == 0) | (target == 1)).all()):
            self._shift = target[0].double()
        if self._shift is None:
            self._outputs.append(output)
            self._targets.append(target)
            return
        truth, error = target.double() - self._shift, (target.double() - output.double()) ** 2
        sums = [torch.ones_like(truth).sum(0), error.sum(0), truth.sum(0), (truth**2).sum(0)]
        self._squares = _sum(self._squares, torch.stack(sums))

    def _sum_up(self) -> None:
        if self._losses:
            self._loss = _sum(self._loss, torch.stack(self._losses).double().sum())
            self._losses = []
        if self._labels:
            guesses, labels = torch.cat(self._guesses), torch.cat(self._labels)
            # Labels below zero mark what is to be ignored (-100 in torch's losses).
            self._hits = _sum(self._hits, torch.stack([(guesses == labels).sum(), (labels >= 0).sum()]))
            self._guesses, self._labels = [], []

    def loss(self) -> float:
        """The mean loss per sample; NaN when none was given."""
        self._sum_up()
        return float(self._loss) / self.samples if self._loss is not None else float("nan")

    def score(self) -> float:
        """The score of all that was added; NaN where it is not defined."""
        self._sum_up()
        if self._hits is not None:
            right, counted = self._hits.tolist()
            return float(right / counted) if counted else float("nan")
        if self._squares is not None:
            count, error, total, squared = self._squares.cpu()
            return float(np.mean(_explained(error.numpy(), (squared - total**2 / count).numpy())))
        if not self._outputs:
            return float("nan")
        outputs, targets = (torch.cat(t).double().cpu().numpy() for t in (self._outputs, self._targets))
        return _agreement(outputs, targets)

    def state_dict(self) -> dict[str, Any]:
        """All of it, as tensors and plain values."""
        return {name: list(v) if isinstance(v, list) else v for name, v in vars(self).items()}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Continue from a state, on a device."""
        for name, value in state.items():
            there = [t.to(device) for t in value] if isinstance(value, list) else value
            setattr(self, name, there.to(device) if isinstance(there, Tensor) else there)


def area_under_curve(scores: Floats, truth: Floats) -> float:
    """Share of pairs of a positive and a negative where the positive scores higher; ties count half (Mann-Whitney)."""
    positive = truth == 1
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    _, at, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[at]  # equal scores share their mean rank
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def _agreement(outputs: Floats, targets: Floats) -> float:
    """The score of all outputs (N, columns) whose targets began as 0 and 1."""
    if not (np.isfinite(outputs).all() and np.isfinite(targets).all()):
        return float("nan")
    if not np.isin(targets, (0.0, 1.0)).all():  # counts or amounts, and the first batch held only 0 and 1
        return float(np.mean(_explained(((targets - outputs) ** 2).sum(0), targets.var(0) * len(targets))))
    if targets.shape[1] > 1 and (targets.sum(1) == 1).all():
        return float((outputs.argmax(1) == targets.argmax(1)).mean())
    areas = [area_under_curve(o, t) for o, t in zip(outputs.T, targets.T)]
    known = [area for area in areas if area == area]
    return float(np.mean(known)) if known else float("nan")


def _explained(error: Floats, variance: Floats) -> Floats:
    """R2: 1 - squared error / variance; of a truth that never varies 1 when it is met exactly, else 0."""
    constant = variance <= 0
    with np.errstate(all="ignore"):  # what is not finite makes it NaN or minus infinity, which says enough
        return np.where(constant, error == 0, 1 - error / np.where(constant, 1, variance)).astype(np.float64)


def _class_dimension(output: Tensor, target: Tensor) -> int | None:
    """The dimension of the output that counts classes, when the target holds their numbers."""
    if target.is_floating_point() or output.numel() <= target.numel():
        return None
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target.squeeze(-1)  # (N, 1) beside (N, K)
    if output.ndim > 1 and output.shape[:1] + output.shape[2:] == target.shape:
        return 1
    return output.ndim - 1 if output.shape[:-1] == target.shape else None


def _are_shares(output: Tensor, target: Tensor) -> bool:
    """Rows of shares of classes. Of one-hot rows another way decides, as they may be independent columns of 0 and 1."""
    if not target.is_floating_point() or target.ndim != 2 or target.shape != output.shape or target.shape[1] < 2:
        return False
    whole = ((target == 0) | (target == 1)).all()
    return bool((target >= 0).all() & ((target.sum(1) - 1).abs() < 1e-4).all() & ~whole)


def _columns(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """(N, ...) and (N, C, ...) as (rows, C): the second dimension is what is scored one by one."""
    if target.ndim < 2:
        return output.reshape(-1, 1), target.reshape(-1, 1)
    wide = target.shape[1]
    return output.movedim(1, -1).reshape(-1, wide), target.movedim(1, -1).reshape(-1, wide)


def _sum(total: Tensor | None, part: Tensor) -> Tensor:
    return part if total is None else total + part
