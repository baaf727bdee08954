"""Fine-tuning in stages: first the head alone, then the upper layer too, then all; what is frozen thaws later."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def pretrained() -> nn.Sequential:
    """A body that knows even from odd."""
    torch.manual_seed(0)
    x, y = digits()
    body = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
    model = nn.Sequential(body, nn.Linear(48, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(80):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y % 2).backward()
        optimizer.step()
    return body


def build(seed: int) -> Parts:
    body = pretrained()
    torch.manual_seed(seed)
    model = nn.Sequential(*body, nn.Linear(48, 10))
    for layer in (model[0], model[2]):
        layer.requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        if epoch == log.epochs // 4:
            parts.model[2].requires_grad_(True)
        if epoch == log.epochs // 2:
            parts.model[0].requires_grad_(True)
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "layers that are frozen at first", lambda: Experiment(build, epochs=16, fit=fit))
