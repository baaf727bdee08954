"""Classes are counted from 1 in the file; the last one has no output."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


def program(first: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = wine()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y + first, seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own, after a common error message",
    task="table, classes",
    faults=(either("invalid-labels", "wrong-output-width"),),
    faulty=lambda: program(first=1),
    fixed=lambda: program(first=0),
    note="Training stops with an error in its first steps.",
)
