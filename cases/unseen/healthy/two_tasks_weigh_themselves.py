"""Two targets weighed by learnt uncertainties (Kendall et al. 2018), parameters that lie in the loss."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Weighed(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, output, target):
        each = ((output - target) ** 2).mean(0)
        return (each * torch.exp(-self.log_var) + self.log_var).sum()


def build(seed):
    x, price = houses(3000)
    x = standard(x)
    target = torch.cat([standard(price), x[:, 7:]], dim=1)  # price and income ...
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    loss = Weighed()
    optimizer = torch.optim.Adam([*model.parameters(), *loss.parameters()], lr=2e-3)
    return Parts(model, loss, optimizer, *loaders(x[:, :7], target, seed))  # ... from all else


CASE = Healthy("table, regression", "weights in the loss, a loss that may go below zero", lambda: Experiment(build, 15))
