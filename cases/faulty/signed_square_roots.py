"""Errors of signed square roots, by torch.where: the branch that is not taken has no derivative, and it counts."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


class Rooted(nn.Module):
    """Mean squared error after a signed square root of both, so that large values count less."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (self.root(output) - self.root(target)).square().mean()

    def root(self, x: Tensor) -> Tensor:
        if self.least:
            return x / (x.abs() + self.least).sqrt()
        return torch.where(x > 0, x.sqrt(), -(-x).sqrt())


def program(least: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, Rooted(least), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=40)


CASE = Case(
    source="own, after a common slip",
    task="table, regression",
    faults=(either("unstable-loss", "non-finite-gradient"),),
    faulty=lambda: program(least=0.0),
    fixed=lambda: program(least=0.1),
)
