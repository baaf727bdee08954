"""Iris through a sigmoid into CrossEntropyLoss: scores of 0..1 can never say "surely this one"."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import iris, loaders
from torchdoctor import Experiment, Parts


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), *last)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*iris(), seed, batch_size=5, held_out=0.5))

    return Experiment(build, epochs=50)


CASE = Case(
    source="stackoverflow.com/questions/51930566",
    task="table, classes",
    faults=(either("wrong-output-activation", "redundant-output-activation"),),
    faulty=lambda: program(nn.Sigmoid()),
    fixed=program,
    where=("3",),
)
