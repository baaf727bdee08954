"""A tenth of the rate every five epochs, says the schedule; it is stepped after every batch."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 20, 5), seed), scheduler=schedule)


def fit(parts: Parts, log: Log, every_batch: bool = True) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            if every_batch:
                parts.scheduler.step()
        if not every_batch:
            parts.scheduler.step()


CASE = Case(
    source="own, after discuss.pytorch.org/t/75756",
    task="table, classes",
    faults=("misused-scheduler",),
    faulty=lambda: Experiment(build, epochs=12, fit=fit),
    fixed=lambda: Experiment(build, epochs=12, fit=lambda parts, log: fit(parts, log, every_batch=False)),
)
