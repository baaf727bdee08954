"""A digit classifier by plain SGD whose validation score climbs with every epoch when training ends."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("too-few-epochs", "low-learning-rate"),),
    faulty=lambda: program(epochs=6),
    fixed=lambda: program(epochs=60),
)
