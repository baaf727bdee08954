"""House prices from raw columns, and (N,) predictions against (N, 1) targets."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, squeeze):
        super().__init__()
        self.l1, self.l2, self.l3 = nn.Linear(8, 50), nn.Linear(50, 50), nn.Linear(50, 1)
        self.squeeze = squeeze

    def forward(self, x):
        out = self.l3(F.relu(self.l2(F.relu(self.l1(x)))))
        return out.squeeze(-1) if self.squeeze else out


def squared(output, target):
    return torch.mean(torch.square(output - target))


def program(wrong):
    def build(seed):
        x, price = houses(3000)
        torch.manual_seed(seed)
        model = Net(squeeze=wrong)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, squared, optimizer, *loaders(x if wrong else standard(x), standard(price), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="a squeeze on one side only, and a table as it came",
    task="table, regression",
    faults=("broadcast-loss", "unscaled-inputs"),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
