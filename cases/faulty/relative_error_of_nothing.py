"""The error is taken relative to counts of which many are zero."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


def counts() -> tuple[Tensor, Tensor]:
    """1,000 rows of five numbers, and how often something happened (N, 1): mostly not at all."""
    numbers = torch.Generator().manual_seed(3)
    x = torch.randn(1000, 5, generator=numbers)
    return x, torch.poisson((0.8 * x[:, :1] - 0.5 * x[:, 1:2]).exp(), generator=numbers)


def relative(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) / target).abs().mean()


def program(loss_fn: object) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, loss_fn, optimizer, *loaders(*counts(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="table, counts",
    faults=("unstable-loss",),
    faulty=lambda: program(relative),
    fixed=lambda: program(nn.MSELoss()),
)
