"""Seattle's weather with the -9999 that stations write for 'not measured' left in, in inputs that are standardised."""

import csv

import torch
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders, standard
from torchdoctor import Experiment, Parts


def stations(missing):
    """Three days; the highest temperature of the fourth. One reading of a hundred is missing."""
    file = SHARED / "timeseries/seattle-weather.csv"
    if not file.is_file():
        raise Absent("timeseries/seattle-weather.csv is not in shared/ beside the project")
    with file.open() as lines:
        rows = [[float(r[c]) for c in ("precipitation", "temp_max", "temp_min", "wind")] for r in csv.DictReader(lines)]
    table = torch.tensor(rows)
    lost = torch.rand(table.shape, generator=torch.Generator().manual_seed(3)) < 0.01
    seen = torch.where(lost, table.mean(0) if missing is None else torch.tensor(missing), table)
    return standard(seen).unfold(0, 3, 1)[:-1].flatten(1), standard(table)[3:, 1:2]


def program(missing):
    def build(seed):
        x, y = stations(missing)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="a sentinel of a data logger",
    task="table, regression",
    faults=("outlying-samples",),
    faulty=lambda: program(-9999.0),
    fixed=lambda: program(None),
)
