"""Is a district dear? Rooms, people and years go in as they are counted, thousands beside tens."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Dear(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(8, 32)
        self.l2 = nn.Linear(32, 16)
        self.l3 = nn.Linear(16, 1)

    def forward(self, x):
        x = torch.tanh(self.l1(x))
        x = torch.tanh(self.l2(x))
        return self.l3(x)


def program(scale):
    def build(seed):
        x, price = houses(4000)
        dear = (price > price.median()).float()
        torch.manual_seed(seed)
        net = Dear()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        return Parts(net, nn.BCEWithLogitsLoss(), optimizer, *loaders(standard(x) if scale else x, dear, seed, 64))

    return Experiment(build, epochs=15)


CASE = Case(
    source="a table straight from its file",
    task="table, two classes",
    faults=("unscaled-inputs",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
