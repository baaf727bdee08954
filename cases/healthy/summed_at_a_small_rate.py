"""Squared errors are summed over the batch, and the rate is chosen for the sum."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import next_values
from cases.records import in_time
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = next_values()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(24, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=5e-4, momentum=0.9)
    return Parts(model, nn.MSELoss(reduction="sum"), optimizer, *in_time(x, y, seed))


CASE = Healthy("series, regression", "a sum as loss, with a rate to suit", lambda: Experiment(build, epochs=20))
