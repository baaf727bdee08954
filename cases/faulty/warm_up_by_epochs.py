"""A warm-up of 400 steps that is stepped once an epoch: after 14 epochs the rate is at a thirtieth of its peak."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 400))
    data = loaders(*digits(images=True), seed, batch_size=64)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *data, scheduler=schedule)


def fit(parts: Parts, log: Log, by_epoch: bool = True) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            if not by_epoch:
                parts.scheduler.step()
        if by_epoch:
            parts.scheduler.step()


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=(either("misused-scheduler", "low-learning-rate"),),
    faulty=lambda: Experiment(build, epochs=14, fit=fit),
    fixed=lambda: Experiment(build, epochs=30, fit=lambda parts, log: fit(parts, log, by_epoch=False)),
)
