"""A GRU is read at its first step, where it has seen one value of forty."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, step: int) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.output = nn.Linear(32, 3)
        self.step = step

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.gru(x)[0][:, self.step])


def program(step: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Reader(step)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*waves(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after forum threads on reading recurrent layers",
    task="sequences, classes",
    faults=("ignored-input",),
    faulty=lambda: program(0),
    fixed=lambda: program(-1),
)
