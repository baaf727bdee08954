"""A linear classifier of unscaled measurements, with Adam at 0.5."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def program(scaled: bool, lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = tumours()
        x = x[:, :9]
        torch.manual_seed(seed)
        model = nn.Linear(9, 2)
        optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x) if scaled else x, y, seed))

    return Experiment(build, epochs=40)


CASE = Case(
    source="Tensorflow program bugs (ISSTA 2018), IPS-13, with another medical table",
    task="table, binary",
    faults=("high-learning-rate", "unscaled-inputs"),
    faulty=lambda: program(scaled=False, lr=0.5),
    fixed=lambda: program(scaled=True, lr=0.01),
)
