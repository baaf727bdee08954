"""Trained on pictures disturbed against itself: much worse in training than in validation."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, 64))


def disturbed(parts: Parts, x: Tensor, y: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(parts.loss_fn(parts.model(x), y), x)
    return (x + 0.1 * slope.sign()).clamp(0, 1).detach()


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            worse = disturbed(parts, x, y)
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(worse), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "three passes a step", lambda: Experiment(build, epochs=15, fit=fit))
