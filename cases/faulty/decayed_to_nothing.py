"""A weight decay of 0.5 in Adam (fit for AdamW, whose decay is times the rate) on districts of California."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def program(decay):
    def build(seed):
        x, y = houses(2500)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=decay)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(standard(x), standard(y), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="Adam and AdamW, whose decays mean different things",
    task="table, regression",
    faults=("strong-regularization",),
    faulty=lambda: program(0.5),
    fixed=lambda: program(1e-5),
)
