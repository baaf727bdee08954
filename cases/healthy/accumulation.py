"""Eight small batches make one step."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=8))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for i, (x, y) in enumerate(parts.train, 1):
            loss = parts.loss_fn(parts.model(x), y) / 8
            loss.backward()
            if i % 8 == 0:
                parts.optimizer.step()
                parts.optimizer.zero_grad()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy(
    "images, classes", "gradients are kept over backward passes", lambda: Experiment(build, epochs=12, fit=fit)
)
