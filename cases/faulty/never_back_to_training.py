"""model.eval() for the first validation, and no model.train() after it."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))


def fit(parts: Parts, log: Log, back: bool = False) -> None:
    parts.model.train()
    for epoch in range(log.epochs):
        if back:
            parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            losses = [parts.loss_fn(parts.model(x), y).item() for x, y in parts.val]
        log(epoch=epoch, val_loss=sum(losses) / len(losses))


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("eval-mode-training",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, back=True)),
)
