"""A line of the loop takes a little off the learning rate after every batch, and nothing stops it at zero."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, moons
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*moons(), seed))


def fit(parts: Parts, log: Log, least: float = -1.0) -> None:
    group = parts.optimizer.param_groups[0]
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            group["lr"] = max(group["lr"] - 3e-5, least)


CASE = Case(
    source="own, after a common slip",
    task="points, binary",
    faults=("negative-learning-rate",),
    faulty=lambda: Experiment(build, epochs=20, fit=fit),
    fixed=lambda: Experiment(build, epochs=20, fit=lambda parts, log: fit(parts, log, least=1e-3)),
)
