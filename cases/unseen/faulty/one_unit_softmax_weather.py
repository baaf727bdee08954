"""Does it rain tomorrow? One output unit, with a softmax over it, and BCELoss."""

import csv

import torch
from torch import nn

from cases.case import Case
from cases.data import SHARED, Absent, loaders, standard
from torchdoctor import Experiment, Parts


def days():
    file = SHARED / "timeseries/seattle-weather.csv"
    if not file.is_file():
        raise Absent("timeseries/seattle-weather.csv is not in shared/ beside the project")
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    columns = ("precipitation", "temp_max", "temp_min", "wind")
    x = torch.tensor([[float(r[c]) for c in columns] for r in rows])
    wet = (x[:, :1] > 0).float()
    today = torch.cat([standard(x), wet], dim=1)
    return torch.cat([today[:-2], today[1:-1]], dim=1), wet[2:]


class RainNet(nn.Module):
    def __init__(self, last):
        super().__init__()
        self.hidden = nn.Linear(10, 32)
        self.output = nn.Linear(32, 1)
        self.last = last

    def forward(self, x):
        return self.last(self.output(torch.tanh(self.hidden(x))))


def program(last):
    def build(seed):
        torch.manual_seed(seed)
        net = RainNet(last)
        return Parts(net, nn.BCELoss(), torch.optim.Adam(net.parameters(), lr=3e-3), *loaders(*days(), seed))

    return Experiment(build, epochs=25)


CASE = Case(
    source="two classes, one unit, and the activation of many classes",
    task="table, two classes",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=lambda: program(nn.Sigmoid()),
)
