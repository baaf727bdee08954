"""Triplets of tumours: the same kind comes closer, another kind goes away, until many triplets cost nothing."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = tumours()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, triplets, optimizer, *loaders(standard(x), y, seed, batch_size=64))


def triplets(output: Tensor, target: Tensor) -> Tensor:
    distance = torch.cdist(output, output)
    same = target[:, None] == target[None]
    furthest = (distance * same).max(1).values
    nearest = distance.masked_fill(same, float("inf")).min(1).values
    return torch.relu(furthest - nearest.clamp(max=1e6) + 1.0).mean()


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()


def score(model: nn.Module, loader: object) -> float:
    return -sum(triplets(model(x), y).item() for x, y in loader)


CASE = Healthy(
    "table, representation", "a loss over triplets of a batch", lambda: Experiment(build, 25, fit=fit, score=score)
)
