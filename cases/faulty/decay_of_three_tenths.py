"""Weight decay of 0.3 in SGD: what the weights learn is taken off them again."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(decay: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=decay)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 20, 5), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after thedeepchecker IPS_12",
    task="table, classes",
    faults=("strong-regularization",),
    faulty=lambda: program(decay=0.3),
    fixed=lambda: program(decay=5e-4),
)
