"""A window of a series through two linear layers with dropout and a norm between them, and no activation."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class Windowed(nn.Module):
    def __init__(self, bend: bool) -> None:
        super().__init__()
        self.encode = nn.Linear(40, 64)
        self.norm = nn.BatchNorm1d(64)
        self.decide = nn.Linear(64, 3)
        self.bend = bend

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.norm(self.encode(x.squeeze(2)))
        if self.bend:
            hidden = torch.relu(hidden)
        return self.decide(nn.functional.dropout(hidden, 0.2, self.training))


def program(bend: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = waves()
        torch.manual_seed(seed)
        model = Windowed(bend)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, y, seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="sequences, classes",
    faults=("missing-hidden-activation",),
    faulty=lambda: program(bend=False),
    fixed=lambda: program(bend=True),
    where=("encode", "decide"),
)
