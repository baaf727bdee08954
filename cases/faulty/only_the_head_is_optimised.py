"""The optimizer is given the parameters of the last layer only; the rest has gradients and stays where it was."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


class Finder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(72, 8),
        )
        self.head = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tanh(self.encoder(x)))


def program(whole: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Finder()
        held = model if whole else model.head
        optimizer = torch.optim.Adam(held.parameters(), lr=3e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*spots(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after PyTorch forum threads on parameters that do not change",
    task="images, regression",
    faults=("missing-parameters",),
    faulty=lambda: program(whole=False),
    fixed=lambda: program(whole=True),
    where=("encoder",),
)
