"""Rain is skewed, so its logarithm is taken; on a dry day that is minus infinity, and then nothing is a number."""

from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.readers import rows
from torchdoctor import Experiment, Parts


def build(seed: int, mended: bool) -> Parts:
    days = rows("timeseries/seattle-weather.csv")
    rain = torch.tensor([[float(r["precipitation"])] for r in days])
    rest = torch.tensor([[float(r[c]) for c in ("temp_max", "temp_min", "wind")] for r in days])
    x = torch.cat([torch.log1p(rain) if mended else torch.log(rain), (rest - rest.mean(0)) / rest.std(0)], 1)
    y = rest[1:, :1]  # how warm will it be tomorrow?
    y = (y - y.mean()) / y.std()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:1095], y[:1095]), 32, shuffle=True, generator=shuffling)
    val = DataLoader(TensorDataset(x[1095:-1], y[1095:]), 128)
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), train, val)


CASE = Case(
    source="log of a column with zeros, as asked about on StackOverflow",
    task="time series, regression",
    faults=("non-finite-inputs",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15),
)
