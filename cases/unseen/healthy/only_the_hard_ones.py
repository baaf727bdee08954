"""Triplets of which only those that still break the margin count: the easier the task gets, the harder the batch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Embedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Flatten())
        self.out = nn.Linear(32 * 16, 24)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.out(self.body(x)), dim=1)


def batch_hard(z: Tensor, y: Tensor, margin: float = 0.3) -> Tensor:
    """The farthest friend against the nearest stranger (Hermans 2017), mean over those within the margin."""
    distance = torch.cdist(z, z)
    same = y[:, None] == y[None]
    friend = (distance * same).amax(1)
    stranger = (distance + 9.0 * same).amin(1)
    short = F.relu(friend - stranger + margin)
    return short.sum() / (short > 0).sum().clamp(min=1)


def neighbours(model: nn.Module, parts: Parts) -> float:
    """The share of validation digits whose nearest training digit is of their kind."""
    model.eval()
    with torch.no_grad():
        known, labels = (torch.cat(v) for v in zip(*((model(x), y) for x, y in parts.train)))
        asked, truth = (torch.cat(v) for v in zip(*((model(x), y) for x, y in parts.val)))
    return (labels[torch.cdist(asked, known).argmin(1)] == truth).float().mean().item()


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Embedding()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, batch_hard, optimizer, *loaders(*digits(images=True), seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        total = 0.0
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), y)
            loss.backward()
            parts.optimizer.step()
            total += loss.item()
        log(epoch=epoch, train_loss=total / len(parts.train), val_score=neighbours(parts.model, parts))


CASE = Healthy("images, metric learning", "a loss that stays at the margin", lambda: Experiment(build, 25, fit=fit))
