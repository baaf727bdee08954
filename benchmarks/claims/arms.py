"""One net trained one way, at the best of some learning rates, with several seeds; and the pictures that it learns.

May not: compare arms, know a claim.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

import torch
from torch import Tensor, nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.data.fashion_mnist import fashion_mnist
from torchdoctor.data.scaling import scaling
from torchdoctor.parts import Parts
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit

TRAIN, TEST, CLASSES = 4_000, 2_000, 10
SEEDS, CHOOSING = (1, 2, 3, 4, 5), 0
Data = tuple[Tensor, Tensor, Tensor, Tensor]
Optimize = Callable[..., torch.optim.Optimizer]
SGD = partial(torch.optim.SGD, momentum=0.9)


@dataclass(frozen=True)
class Arm:
    """One net, trained one way, at the best of some learning rates."""

    name: str
    model: Callable[[], nn.Module]
    optimizer: Optimize = SGD
    rates: Sequence[float] = (0.3, 0.1, 0.03, 0.01)
    epochs: int = 6
    batch: int = 64

    @property
    def weights(self) -> int:
        return sum(p.numel() for p in self.model().parameters())


@dataclass(frozen=True)
class Result:
    """curves: of each seed, the validation score after each epoch; losses: the training loss."""

    arm: Arm
    rate: float
    curves: Sequence[Sequence[float]]
    losses: Sequence[Sequence[float]]

    @property
    def scores(self) -> list[float]:
        return [curve[-1] for curve in self.curves]

    def epochs_to(self, target: float) -> float:
        """Epochs until the mean curve reaches `target`, between epochs along a line; infinity where it never does."""
        curve = [0.1, *(mean(at) for at in zip(*self.curves))]
        return _first_time(curve, lambda value: value >= target, target)

    def epochs_to_loss(self, target: float) -> float:
        curve = [math.log(CLASSES), *(mean(at) for at in zip(*self.losses))]
        return _first_time(curve, lambda value: value <= target, target)


def trained(arm: Arm, data: Data, rate: float, seed: int) -> History:
    torch.manual_seed(seed)
    model = arm.model()
    x, y, test_x, test_y = data
    train = TensorBatches(x, y, arm.batch, shuffle=True, seed=seed)
    history = History(arm.epochs)
    fit(
        Parts(model, nn.CrossEntropyLoss(), arm.optimizer(model.parameters(), lr=rate), train,
              TensorBatches(test_x, test_y, 500)),
        history,
    )  # fmt: skip
    return history


def at_its_best(arm: Arm, data: Data) -> Result:
    def after(rate: float) -> float:
        score = trained(arm, data, rate, CHOOSING).numbers["val_score"][-1]
        return score if math.isfinite(score) else 0.0

    rate = max(arm.rates, key=after) if len(arm.rates) > 1 else arm.rates[0]
    runs = [trained(arm, data, rate, seed).numbers for seed in SEEDS]
    return Result(arm, rate, [r["val_score"] for r in runs], [r["train_loss"] for r in runs])


def _first_time(curve: Sequence[float], there: Callable[[float], bool], target: float) -> float:
    for epoch in range(1, len(curve)):
        if there(curve[epoch]):
            before, after = curve[epoch - 1], curve[epoch]
            return epoch - 1 + (target - before) / (after - before) if not there(before) else float(epoch)
    return math.inf


def read(folder: Path) -> Data:
    x, y, test_x, test_y = _parts(folder)
    scale = scaling(x[:TRAIN], "standard")
    return scale(x[:TRAIN]), y[:TRAIN], scale(test_x[:TEST]), test_y[:TEST]


def _parts(folder: Path) -> Iterator[Tensor]:
    found = fashion_mnist(str(folder))
    return (torch.as_tensor(part) for part in found if part is not None)
