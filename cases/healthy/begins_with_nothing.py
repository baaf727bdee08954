"""Tomorrow's temperature as today's and a correction, whose last layer begins with zeros on purpose."""

import torch
from torch import nn

from cases.case import Healthy
from cases.records import coldest, in_time, windows
from torchdoctor import Experiment, Parts


class Correction(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(14, 32), nn.Tanh(), nn.Linear(32, 1))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, x):
        return x[:, -1:] + self.net(x)


def build(seed):
    values = coldest()
    torch.manual_seed(seed)
    model = Correction()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    x, y = windows((values - values.mean()) / values.std(), 14)
    return Parts(model, nn.MSELoss(), optimizer, *in_time(x, y, seed))


CASE = Healthy("series, forecast", "a layer of zeros, a loss that hardly falls", lambda: Experiment(build, 10))
