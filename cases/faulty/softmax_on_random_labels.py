"""Softmax over a single unit again, on inputs and targets that are both drawn at random."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


class Guesser(nn.Module):
    def __init__(self, output: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(5, 60), nn.ReLU(), nn.Linear(60, 50), nn.ReLU(), nn.Linear(50, 1))
        self.output = output

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.layers(x))


def program(output: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(0)
        x, y = torch.rand(1000, 5, generator=numbers), torch.rand(1000, 1, generator=numbers)
        torch.manual_seed(seed)
        model = Guesser(output)
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.BCELoss(), optimizer, *loaders(x, y, seed, batch_size=8))

    return Experiment(build, epochs=5)


CASE = Case(
    source="stackoverflow.com/questions/45337371",
    task="table, regression",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=lambda: program(nn.Sigmoid()),
    where=("output",),
    note="There is nothing to learn in the data, so even the mended program only finds the mean.",
)
