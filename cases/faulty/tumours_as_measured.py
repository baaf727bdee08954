"""A small sigmoid-ended net on thirty measurements whose sizes differ by ten thousand times."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def program(scaled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = tumours()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(30, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
        optimizer = torch.optim.Adam(model.parameters())
        data = loaders(standard(x) if scaled else x, y.float()[:, None], seed, batch_size=10)
        return Parts(model, nn.BCELoss(), optimizer, *data)

    return Experiment(build, epochs=40)


CASE = Case(
    source="GitHub keras example on the Pima table, with another medical table",
    task="table, binary",
    faults=("unscaled-inputs",),
    faulty=lambda: program(scaled=False),
    fixed=lambda: program(scaled=True),
)
