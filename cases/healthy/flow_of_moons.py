"""A normalizing flow: exact densities of points; the loss falls below zero where points lie dense."""

import math

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, moons, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Coupling(nn.Module):
    """One coordinate is shifted and stretched by what the other says (L. Dinh et al., 2017)."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first = first
        self.net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept, moved = x.flip(1).split(1, 1) if self.first else x.split(1, 1)
        stretch, shift = self.net(kept).split(1, 1)
        stretch = torch.tanh(stretch)
        moved = moved * stretch.exp() + shift
        pair = torch.cat([moved, kept] if self.first else [kept, moved], dim=1)
        return pair, stretch[:, 0]


class Flow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Coupling(k % 2 == 0) for k in range(6))

    def forward(self, x: Tensor) -> Tensor:
        """Logarithm of the density (N,)."""
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, stretch = layer(x)
            total = total + stretch
        return total - 0.5 * (x**2).sum(1) - math.log(2 * math.pi)


def likelihood(output: Tensor, target: Tensor) -> Tensor:
    return -output.mean()


def build(seed: int) -> Parts:
    x = standard(moons(1500, noise=0.06)[0])
    torch.manual_seed(seed)
    model = Flow()
    return Parts(model, likelihood, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, x, seed, 64))


def score(model: nn.Module, loader: object) -> float:
    return sum(float(model(x).mean()) for x, _ in loader)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "points, density", "a loss without a lower end, targets unused", lambda: Experiment(build, 40, fit=fit, score=score)
)
