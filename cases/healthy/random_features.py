"""Random Fourier features (Rahimi and Recht 2007) that never learn, under a linear layer that does."""

import math

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class KernelMachine(nn.Module):
    def __init__(self, features=512, gamma=0.25):
        super().__init__()
        self.project = nn.Linear(64, features)
        nn.init.normal_(self.project.weight, std=gamma)
        nn.init.uniform_(self.project.bias, 0, 2 * math.pi)
        self.project.requires_grad_(False)
        self.head = nn.Linear(features, 10)

    def forward(self, x):
        return self.head(torch.cos(self.project(4 * x - 1)))


def build(seed):
    torch.manual_seed(seed)
    model = KernelMachine()
    optimizer = torch.optim.Adam(model.head.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


CASE = Healthy("images, classes", "most weights are frozen, and were never trained", lambda: Experiment(build, 15))
