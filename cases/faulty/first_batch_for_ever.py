"""next(iter(loader)) inside of the loop, over a loader that does not shuffle."""

import torch
from torch import nn
from torch.utils.data import DataLoader

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    train, val = loaders(*table(1200, 20, 3), seed)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, DataLoader(train.dataset, 32), val)


def fit(parts: Parts, log: Log, again: bool = True) -> None:
    for _ in range(log.epochs):
        batches = iter(parts.train)
        for _ in range(len(parts.train)):
            x, y = next(iter(parts.train)) if again else next(batches)
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("repeated-batch",),
    faulty=lambda: Experiment(build, epochs=10, fit=fit),
    fixed=lambda: Experiment(build, epochs=10, fit=lambda parts, log: fit(parts, log, again=False)),
)
