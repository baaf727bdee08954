"""Sharpness-aware minimisation (Foret 2021): up the slope, look, back, down; cleared half-way on purpose."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = mnist(1500, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(24 * 36, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - 73) / 90, y, seed, batch_size=64))


def fit(parts: Parts, log: Log, radius: float = 0.05) -> None:
    weights = list(parts.model.parameters())
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.loss_fn(parts.model(x), y).backward()
            norm = torch.stack([p.grad.norm() for p in weights]).norm() + 1e-12
            with torch.no_grad():
                steps = [radius * p.grad / norm for p in weights]
                for p, e in zip(weights, steps):
                    p.add_(e)
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            with torch.no_grad():
                for p, e in zip(weights, steps):
                    p.sub_(e)
            parts.optimizer.step()
            parts.optimizer.zero_grad()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "two backward passes a step, cleared between", lambda: Experiment(build, 15, fit))
