"""A table read through sixteen dense layers, one after another, with nothing around them."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Around(nn.Module):
    """A dense layer with a way around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layer(x)


def program(skips: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = table(1000, 20, 3)
        torch.manual_seed(seed)
        hidden = [Around(48) if skips else nn.Linear(48, 48) for _ in range(14)]
        layers = [part for layer in hidden for part in (layer, nn.ReLU())]
        model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), *layers, nn.Linear(48, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after He et al., Deep Residual Learning (2016)",
    task="table, classes",
    faults=(either("excessive-depth", "missing-normalization", "badly-scaled-init"),),
    faulty=lambda: program(skips=False),
    fixed=lambda: program(skips=True),
)
