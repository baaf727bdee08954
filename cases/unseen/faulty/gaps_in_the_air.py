"""Beijing's air: hours without a measurement are read as NaN and go into the net."""

import csv
from functools import cache

import torch
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders
from torchdoctor import Experiment, Parts

COLUMNS = ("pm2.5", "DEWP", "TEMP", "PRES", "Iws")


@cache
def hours():
    file = SHARED / "timeseries/pollution.csv"
    if not file.is_file():
        raise Absent("timeseries/pollution.csv is not in shared/ beside the project")
    with file.open() as lines:
        rows = [r for _, r in zip(range(6000), csv.DictReader(lines))]
    return torch.tensor([[float("nan") if r[c] == "NA" else float(r[c]) for c in COLUMNS] for r in rows])


def lagged(fill):
    table = hours().clone()
    table = (table - table.nanmean(0)) / torch.tensor([90.0, 14.0, 12.0, 10.0, 50.0])
    known = ~table[24:, 0].isnan()  # a target must have been measured
    if fill:
        table = table.nan_to_num(0.0)  # the mean
    x = table.unfold(0, 24, 1)[:-1].flatten(1)
    return x[known], table[24:, :1][known]


def program(fill):
    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(120, 64), nn.ReLU(), nn.Linear(64, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*lagged(fill), seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="pandas.read_csv of 'NA'",
    task="series, forecast",
    faults=("non-finite-inputs",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
