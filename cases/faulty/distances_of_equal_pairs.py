"""Distances as the square root of a sum of squares; a pair of one picture with itself has none, and no derivative."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Pairs(nn.Module):
    """Pulls neighbours in the batch together where they are of one class, and apart where they are not."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def forward(self, places: Tensor, labels: Tensor) -> Tensor:
        other = torch.arange(len(labels)) * 7 % len(labels)  # sample 0 meets itself
        distance = ((places - places[other]).square().sum(1) + self.least).sqrt()
        same = labels == labels[other]
        return torch.where(same, distance.square(), (1 - distance).relu().square() + 0 * distance).mean()


def program(least: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, Pairs(least), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="own, after a common slip",
    task="images, metric",
    faults=(either("unstable-loss", "non-finite-gradient"),),
    faulty=lambda: program(least=0.0),
    fixed=lambda: program(least=1e-6),
)
