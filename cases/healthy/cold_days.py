"""Tomorrow's lowest temperature by the last two weeks; the years are split in order, as forecasts must be."""

import torch
from torch import nn

from cases.case import Healthy
from cases.records import coldest, in_time, windows
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    degrees = coldest()
    x, y = windows((degrees - degrees[:2700].mean()) / degrees[:2700].std(), 14)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(14, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.MSELoss(), optimizer, *in_time(x, y, seed))


CASE = Healthy("series, regression", "a split by time, much noise", lambda: Experiment(build, epochs=12))
