"""F.dropout without training=self.training: predictions are made with half of the units missing."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, follows):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(8, 64), nn.Linear(64, 64), nn.Linear(64, 1)
        self.follows = follows

    def forward(self, x):
        on = self.training if self.follows else True
        x = F.dropout(F.relu(self.fc1(x)), p=0.5, training=on)
        x = F.dropout(F.relu(self.fc2(x)), p=0.5, training=on)
        return self.fc3(x)


def program(follows):
    def build(seed):
        x, y = houses(3000)
        torch.manual_seed(seed)
        model = Net(follows)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(standard(x), standard(y), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="F.dropout's default, training=True",
    task="table, regression",
    faults=("mode-insensitive-layer",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
