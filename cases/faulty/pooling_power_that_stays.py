"""Generalised mean pooling whose power is a tensor that needs a gradient, and no parameter of the model."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Pooled(nn.Module):
    def __init__(self, listed: bool) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU())
        power = torch.full((32, 1, 1), 3.0)
        self.power = nn.Parameter(power) if listed else power.requires_grad_()
        self.output = nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        powers = self.features(x).clamp(min=1e-3) ** self.power
        return self.output((powers.mean((2, 3), keepdim=True) ** (1 / self.power)).flatten(1))


def program(listed: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        torch.manual_seed(seed)
        model = Pooled(listed)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=3e-3), *loaders(x, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="discuss.pytorch.org/t/36422",
    task="images, classes",
    faults=("unregistered-parameter",),
    faulty=lambda: program(listed=False),
    fixed=lambda: program(listed=True),
)
