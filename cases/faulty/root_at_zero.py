"""Pairs of digits brought together or pushed apart by their distance; its root has no slope where it is zero."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Twins(nn.Module):
    def __init__(self, eps):
        super().__init__()
        self.eps = eps
        self.embed = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 8))

    def forward(self, pair):
        a, b = self.embed(pair[:, 0]), self.embed(pair[:, 1])
        return ((a - b) ** 2).sum(1).add(self.eps).sqrt()


def contrastive(distance, same):
    return (same * distance**2 + (1 - same) * (1 - distance).clamp(min=0) ** 2).mean()


def pairs():
    """Any two digits, two of one class in a third of the pairs; now and then a digit with itself."""
    x, y = digits()
    random = torch.Generator().manual_seed(7)
    left = torch.randint(len(x), (3000,), generator=random)
    right = torch.randint(len(x), (3000,), generator=random)
    by_class = [torch.where(y == k)[0] for k in range(10)]
    for i in range(1000, 2000):
        mates = by_class[y[left[i]]]
        right[i] = mates[torch.randint(len(mates), (), generator=random)]
    right[2000:2100] = left[2000:2100]
    return torch.stack([x[left], x[right]], 1), (y[left] == y[right]).float()


def program(eps):
    def build(seed):
        torch.manual_seed(seed)
        model = Twins(eps)
        return Parts(model, contrastive, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(*pairs(), seed, 64))

    def agreement(model, loader):
        hits = [((model(p) < 0.5) == (same > 0.5)).float().mean() for p, same in loader]
        return float(torch.stack(hits).mean())

    return Experiment(build, epochs=10, score=agreement)


CASE = Case(
    source="a Euclidean distance by hand in a siamese net",
    task="images, metric learning",
    faults=("unstable-loss",),
    faulty=lambda: program(0.0),
    fixed=lambda: program(1e-6),
)
