"""Pixels on a log scale, where the background is zero: minus infinity goes in, NaN comes out."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(offset: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(72, 32),
            nn.ReLU(),
            nn.Linear(32, 10),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(torch.log(x + offset), y, seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="own",
    task="images, classes",
    faults=("non-finite-inputs",),
    faulty=lambda: program(offset=0.0),
    fixed=lambda: program(offset=0.1),
)
