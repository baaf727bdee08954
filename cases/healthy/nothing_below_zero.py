"""Digits as sums of parts: weights are clamped at zero after every step, so that parts can only be added."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class PartsOfDigits(nn.Module):
    def __init__(self, parts: int = 24) -> None:
        super().__init__()
        self.amounts = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, parts), nn.Softplus())
        self.shapes = nn.Parameter(torch.rand(parts, 64) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.amounts(x) @ self.shapes


def build(seed: int) -> Parts:
    x, _ = digits()
    torch.manual_seed(seed)
    model = PartsOfDigits()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, x, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, _ in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), x).backward()
            parts.optimizer.step()
            with torch.no_grad():
                parts.model.shapes.clamp_(min=0)
        with torch.no_grad():
            x = torch.cat([x for x, _ in parts.val])
            left = F.mse_loss(parts.model(x), x) / (x - x.mean(0)).square().mean()
        log(epoch=epoch, val_score=1 - left.item())


CASE = Healthy("images, parts", "many weights at exactly zero", lambda: Experiment(build, epochs=60, fit=fit))
