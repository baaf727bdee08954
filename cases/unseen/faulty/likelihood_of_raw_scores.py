"""Digits of the post office with NLLLoss, and no log_softmax anywhere."""

import csv

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders
from torchdoctor import Experiment, Parts


def pixels():
    file = SHARED / "optdigits/optdigits.tra"
    if not file.is_file():
        raise Absent("optdigits/optdigits.tra is not in shared/ beside the project")
    with file.open() as lines:
        table = torch.tensor([[float(v) for v in row] for row in list(csv.reader(lines))[1:]])
    return table[:, :64] / 16, table[:, 64].long()


class Mlp(nn.Module):
    def __init__(self, normalise):
        super().__init__()
        self.normalise = normalise
        self.a, self.b, self.c = nn.Linear(64, 80), nn.Linear(80, 40), nn.Linear(40, 10)

    def forward(self, x):
        x = F.relu(self.b(F.relu(self.a(x))))
        x = self.c(x)
        return F.log_softmax(x, dim=-1) if self.normalise else x


def program(normalise):
    def build(seed):
        torch.manual_seed(seed)
        model = Mlp(normalise)
        return Parts(model, nn.NLLLoss(), torch.optim.Adam(model.parameters(), 1e-3), *loaders(*pixels(), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="a loss taken from an old example without its last line",
    task="images, classes",
    faults=("missing-output-activation",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
