"""No model.eval() around the validation: half of the units are left out when the score is taken."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(20, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 4)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1200, 20, 4), seed))


def fit(parts: Parts, log: Log, right: bool = False) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.train(not right)
        with torch.no_grad():
            hits = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        parts.model.train()
        log(epoch=epoch, val_score=sum(hits) / len(hits))


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("train-mode-evaluation",),
    faulty=lambda: Experiment(build, epochs=20, fit=fit),
    fixed=lambda: Experiment(build, epochs=20, fit=lambda parts, log: fit(parts, log, right=True)),
)
