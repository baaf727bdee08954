"""Dollars are learnt as logarithms and told as dollars; the place is spelt out in sines before the first layer."""

import math

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import houses, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Prices(nn.Module):
    def __init__(self, x: Tensor) -> None:
        super().__init__()
        counts = x[:, 3:7].log1p()
        rest = torch.cat([x[:, :3], counts, x[:, 7:]], 1)
        self.register_buffer("middle", rest.mean(0))
        self.register_buffer("spread", rest.std(0))
        self.net = nn.Sequential(nn.Linear(24, 96), nn.GELU(), nn.Linear(96, 96), nn.GELU(), nn.Linear(96, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = (torch.cat([x[:, :3], x[:, 3:7].log1p(), x[:, 7:]], 1) - self.middle) / self.spread
        place = x[:, None, :2] * torch.tensor([1.0, 2.0, 4.0, 8.0])[:, None]
        return self.net(torch.cat([x, place.sin().flatten(1), place.cos().flatten(1)], 1))


def build(seed: int) -> Parts:
    x, dollars = houses(4000)
    torch.manual_seed(seed)
    model = Prices(x[:3000])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    return Parts(model, nn.L1Loss(), optimizer, *loaders(x, dollars.log() - math.log(2e5), seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    decay = torch.optim.lr_scheduler.PolynomialLR(parts.optimizer, total_iters=log.epochs, power=1.5)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        decay.step()
        parts.model.eval()
        with torch.no_grad():
            told, true = (torch.cat(v).exp() for v in zip(*((parts.model(x), y) for x, y in parts.val)))
        log(epoch=epoch, val_score=1 - ((told - true).var() / true.var()).item())


CASE = Healthy("table, regression", "raw columns from 1 to 30,000 at the door", lambda: Experiment(build, 25, fit=fit))
