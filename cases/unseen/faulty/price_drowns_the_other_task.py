"""Two tasks on one trunk: the price in dollars by squared error, and whether the sea is near by cross-entropy.

The sum of both losses is the price's alone.
"""

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Case, either
from cases.data import loaders, standard
from cases.readers import rows
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

COLUMNS = ("housing_median_age", "total_rooms", "total_bedrooms", "population", "households", "median_income")


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.price, self.sea = nn.Linear(32, 1), nn.Linear(32, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.trunk(x)
        return self.price(h), self.sea(h)


def both_losses(output: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    price, sea = output
    return F.mse_loss(price, y[:, :1]) + F.cross_entropy(sea, y[:, 1].long())


def build(seed: int, mended: bool) -> Parts:
    lines = [r for r in rows("tabular_california_housing/housing.csv")[::7] if r["total_bedrooms"]]
    x = standard(torch.tensor([[float(r[c]) for c in ("longitude", "latitude", *COLUMNS)] for r in lines]))
    price = torch.tensor([[float(r["median_house_value"])] for r in lines])
    sea = torch.tensor([[float(r["ocean_proximity"] != "INLAND")] for r in lines])
    price = standard(price) if mended else price
    torch.manual_seed(seed)
    model = TwoHeads()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, both_losses, optimizer, *loaders(x, torch.cat([price, sea], 1), seed, batch_size=64))


def score(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    with torch.no_grad():
        x, y = (torch.cat(v) for v in zip(*loader))
        price, sea = model(x)
        explained = 1 - ((price - y[:, :1]) ** 2).mean() / y[:, 0].var()
        return (explained + (sea.argmax(1) == y[:, 1]).float().mean()).item() / 2


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Case(
    source="losses of two scales added up, as asked about on the PyTorch forum",
    task="table, two tasks",
    faults=(either("unscaled-targets", "dominant-penalty"),),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15, fit=fit, score=score),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15, fit=fit, score=score),
)
