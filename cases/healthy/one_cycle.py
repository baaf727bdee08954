"""One-cycle: the rate climbs to a height that would not do for long, and comes down."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    steps = log.epochs * len(parts.train)
    schedule = torch.optim.lr_scheduler.OneCycleLR(parts.optimizer, max_lr=0.2, total_steps=steps)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            loss = parts.loss_fn(parts.model(x), y)
            parts.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            parts.optimizer.step()
            schedule.step()
        parts.model.eval()
        with torch.no_grad():
            losses = [parts.loss_fn(parts.model(x), y).item() for x, y in parts.val]
        log(epoch=epoch, val_loss=sum(losses) / len(losses))


CASE = Healthy("images, classes", "a rate of 0.2 with momentum", lambda: Experiment(build, epochs=10, fit=fit))
