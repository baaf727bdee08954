"""Hidden units of -1 and 1 whose gradient goes straight through the sign (Bengio et al. 2013)."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Signs(nn.Module):
    def forward(self, x):
        soft = torch.tanh(x)
        return soft + (torch.where(x > 0, 1.0, -1.0) - soft).detach()


def build(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), Signs(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


CASE = Healthy("images, classes", "a detach in the forward pass, saturated units", lambda: Experiment(build, 15))
