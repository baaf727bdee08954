"""Embeddings of three columns are kept in a dict: neither the optimizer nor the state dict knows of them."""

import csv

import torch
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders
from torchdoctor import Experiment, Parts


def weather():
    """Month, decade of the month and kind of today's weather, as numbers; tomorrow's highest temperature."""
    file = SHARED / "timeseries/seattle-weather.csv"
    if not file.is_file():
        raise Absent("timeseries/seattle-weather.csv is not in shared/ beside the project")
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    kinds = sorted({r["weather"] for r in rows})
    dates = [r["date"].replace("/", "-").split("-") for r in rows]
    x = torch.tensor(
        [[int(d[1]) - 1, min(2, (int(d[2]) - 1) // 10), kinds.index(r["weather"])] for d, r in zip(dates, rows)]
    )
    high = torch.tensor([[float(r["temp_max"])] for r in rows])
    return x[:-1], (high[1:] - 16) / 7


class Tabular(nn.Module):
    def __init__(self, registered):
        super().__init__()
        tables = {"month": nn.Embedding(12, 4), "decade": nn.Embedding(3, 2), "kind": nn.Embedding(5, 3)}
        for table in tables.values():
            nn.init.normal_(table.weight, std=0.01)
        self.tables = nn.ModuleDict(tables) if registered else tables
        self.out = nn.Linear(9, 1)

    def forward(self, x):
        return self.out(torch.cat([table(x[:, i]) for i, table in enumerate(self.tables.values())], dim=1))


def program(registered):
    def build(seed):
        torch.manual_seed(seed)
        model = Tabular(registered)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*weather(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="a dict where nn.ModuleDict was meant",
    task="table, regression",
    faults=("unregistered-parameter",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
