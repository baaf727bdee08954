"""Langevin dynamics (Welling and Teh 2011): noise is added to the weights on purpose, and answers are averaged."""

import copy

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = tumours()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(30, 24), nn.Tanh(), nn.Linear(24, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed))


def fit(parts: Parts, log: Log) -> None:
    kept: list[nn.Module] = []
    rate = parts.optimizer.param_groups[0]["lr"]
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            with torch.no_grad():
                for p in parts.model.parameters():
                    p += torch.randn_like(p) * (2 * rate * 1e-4) ** 0.5
        if epoch >= log.epochs // 2:
            kept.append(copy.deepcopy(parts.model).eval())
        parts.model.eval()
        with torch.no_grad():
            right = [
                (sum(m(x).softmax(1) for m in kept or [parts.model]).argmax(1) == y).float().mean()
                for x, y in parts.val
            ]
        log(epoch=epoch, val_score=torch.stack(right).mean().item())


CASE = Healthy("table, classes", "weights that jitter to the end", lambda: Experiment(build, 40, fit=fit))
