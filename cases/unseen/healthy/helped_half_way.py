"""A second head half-way up helps with a third of the weight (as in GoogLeNet) and is not asked later."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Helped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.low = nn.Sequential(nn.Conv2d(1, 16, 5, stride=2), nn.BatchNorm2d(16), nn.ReLU())
        self.high = nn.Sequential(
            nn.Conv2d(16, 32, 3, stride=2), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()
        )
        self.side = nn.Linear(16, 10)
        self.head = nn.Linear(32 * 9, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        low = self.low(x)
        told = self.head(self.high(low).flatten(1))
        return (told, self.side(low.mean((2, 3)))) if self.training else told


def both(output: tuple[Tensor, Tensor] | Tensor, y: Tensor) -> Tensor:
    if isinstance(output, Tensor):
        return F.cross_entropy(output, y)
    return F.cross_entropy(output[0], y) + 0.3 * F.cross_entropy(output[1], y)


def build(seed: int) -> Parts:
    x, y = mnist(2000)
    torch.manual_seed(seed)
    model = Helped()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, both, optimizer, *loaders((x - 33) / 79, y, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "other outputs in training than later", lambda: Experiment(build, 14, fit=fit))
