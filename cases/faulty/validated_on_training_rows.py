"""Both loaders are cut from the whole table: the split's second half was never used."""

import torch
from torch import nn
from torch.utils.data import DataLoader

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(own: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*table(900, 20, 3), seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        judged = val if own else DataLoader(train.dataset, 256)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, judged)

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("leaked-validation",),
    faulty=lambda: program(own=False),
    fixed=lambda: program(own=True),
)
