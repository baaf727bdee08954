"""Which of two digits is larger? A two-armed net that concatenates its first arm with itself."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class TwoArms(nn.Module):
    def __init__(self, typo):
        super().__init__()
        self.left = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
        self.right = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        self.typo = typo

    def forward(self, both):
        a = self.left(both[:, 0])
        b = self.right(both[:, 1])
        joined = torch.cat([a, a], dim=1) if self.typo else torch.cat([a, b], dim=1)
        return self.head(joined).squeeze(1)


def pairs(n=3000):
    x, y = digits()
    random = torch.Generator().manual_seed(2)
    i, j = (torch.randint(len(x), (n,), generator=random) for _ in range(2))
    return torch.stack([x[i], x[j]], dim=1), (y[i] > y[j]).float()


def program(typo):
    def build(seed):
        torch.manual_seed(seed)
        model = TwoArms(typo)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*pairs(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="a copied line",
    task="images, two inputs",
    faults=("ignored-input",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
    where=("right",),
)
