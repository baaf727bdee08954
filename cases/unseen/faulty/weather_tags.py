"""Which of several things tomorrow brings in Seattle, under SGD with a weight decay of 0.3."""

import csv

import torch
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders, standard
from torchdoctor import Experiment, Parts


def read():
    """Seven days of (rain, high, low, wind), flat; is the day warm, wet, windy, and colder than the one before?"""
    file = SHARED / "timeseries/seattle-weather.csv"
    if not file.is_file():
        raise Absent("timeseries/seattle-weather.csv is not in shared/ beside the project")
    with file.open() as lines:
        rows = [[float(r[c]) for c in ("precipitation", "temp_max", "temp_min", "wind")] for r in csv.DictReader(lines)]
    days = torch.tensor(rows)
    rain, high, _, wind = days.T
    change = torch.cat([high[:1], high[:-1]])
    tags = torch.stack([high > 20, rain > 0, wind > 3.5, high < change], dim=1).float()
    windows = days.unfold(0, 7, 1).flatten(1)
    return standard(windows)[:-1], tags[7:]


def program(decay):
    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(28, 48), nn.ReLU(), nn.Linear(48, 4))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=decay)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*read(), seed))

    def accuracy(model, loader):
        hits = [((model(x) > 0) == (y > 0.5)).float().mean() for x, y in loader]
        return float(torch.stack(hits).mean())

    return Experiment(build, epochs=20, score=accuracy)


CASE = Case(
    source="0.3 for 3e-4",
    task="table, several labels",
    faults=("strong-regularization",),
    faulty=lambda: program(0.3),
    fixed=lambda: program(3e-4),
)
