"""House prices: the net gives (N, 1), the targets are (N,), and the mean squared error takes all pairs of them."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class PriceModel(nn.Module):
    def __init__(self, n_features=8, hidden=48):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_features, hidden), nn.ReLU(), nn.Dropout(0.05), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.regressor = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.regressor(self.net(x))


def mse(prediction, target):
    return ((prediction - target) ** 2).mean()


def program(flat):
    def build(seed):
        features, price = houses(3000)
        y = standard(price).squeeze(1) if flat else standard(price)
        torch.manual_seed(seed)
        model = PriceModel()
        return Parts(model, mse, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(standard(features), y, seed))

    def r2(model, loader):
        pairs = [(model(x).flatten(), y.flatten()) for x, y in loader]
        guess, truth = (torch.cat(t) for t in zip(*pairs))
        return float(1 - ((guess - truth) ** 2).mean() / truth.var(unbiased=False))

    return Experiment(build, epochs=15, score=r2)


CASE = Case(
    source="a target that was read as a flat column",
    task="table, regression",
    faults=("broadcast-loss",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
