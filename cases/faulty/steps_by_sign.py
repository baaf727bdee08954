"""Rprop, which takes the sign of each gradient at its word, on batches of two."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(kind: type[torch.optim.Optimizer]) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = kind(model.parameters())
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size=2))

    return Experiment(build, epochs=3)


CASE = Case(
    source="own, after torch's documentation: Rprop is meant for whole batches",
    task="images, classes",
    faults=(either("unsuitable-optimizer", "small-batch"),),
    faulty=lambda: program(torch.optim.Rprop),
    fixed=lambda: program(torch.optim.Adam),
)
