"""The optimizer is asked to make large what should be small."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(maximize: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, maximize=maximize)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("negative-learning-rate", "wrong-loss"),),
    faulty=lambda: program(maximize=True),
    fixed=lambda: program(maximize=False),
)
