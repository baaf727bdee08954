"""Two hidden units are to tell ten digits apart."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(width: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("insufficient-capacity", "narrow-bottleneck"),),
    faulty=lambda: program(width=2),
    fixed=lambda: program(width=64),
)
