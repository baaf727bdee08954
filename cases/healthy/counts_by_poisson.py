"""Sunspots of the next month as a Poisson count, its logarithm predicted from the last two years."""

import torch
from torch import nn

from cases.case import Healthy
from cases.records import in_time, sunspots, windows
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = windows(sunspots().round(), 24)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 1))
    nn.init.constant_(model[2].bias, float(y.mean().log()))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.PoissonNLLLoss(), optimizer, *in_time((1 + x).log() - 3.5, y, seed, 64))


def score(model: nn.Module, loader: object) -> float:
    """R2 of the expected counts."""
    pairs = [(model(x).exp(), y) for x, y in loader]
    output, target = torch.cat([o for o, _ in pairs]), torch.cat([y for _, y in pairs])
    return float(1 - ((output - target) ** 2).mean() / target.var())


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "series, counts", "a loss below zero, targets of hundreds", lambda: Experiment(build, 20, fit=fit, score=score)
)
