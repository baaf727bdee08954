"""Tomorrow's lowest temperature, standardised, by a GRU whose last layer is followed by ReLU like all others."""

import torch
from torch import nn

from cases.case import Case
from cases.records import coldest, in_time, windows
from torchdoctor import Experiment, Parts


class Forecaster(nn.Module):
    def __init__(self, clamp):
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        head = [nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1)]
        self.head = nn.Sequential(*head, nn.ReLU()) if clamp else nn.Sequential(*head)

    def forward(self, series):
        _, last = self.gru(series.unsqueeze(-1))
        return self.head(last[0])


def program(clamp):
    def build(seed):
        values = coldest()
        past, future = windows((values - values.mean()) / values.std(), 14)
        torch.manual_seed(seed)
        model = Forecaster(clamp)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.MSELoss(), optimizer, *in_time(past, future, seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="layers stacked by habit: Linear, ReLU, Linear, ReLU",
    task="series, forecast",
    faults=("wrong-output-activation",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
