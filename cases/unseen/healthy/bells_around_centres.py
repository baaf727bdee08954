"""A radial basis network: each unit answers near one training sample and is silent for nearly all others."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Bells(nn.Module):
    def __init__(self, centres, width):
        super().__init__()
        self.centres = nn.Parameter(centres.clone())
        self.log_width = nn.Parameter(torch.full((len(centres),), float(width)).log())

    def forward(self, x):
        return torch.exp(-(torch.cdist(x, self.centres) ** 2) / (2 * self.log_width.exp() ** 2))


def build(seed):
    x, y = digits()
    torch.manual_seed(seed)
    train, val = loaders(x, y, seed)
    some = torch.stack([train.dataset[i][0] for i in range(150)])
    model = nn.Sequential(Bells(some, 1.2), nn.Linear(150, 10))
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=0.01), train, val)


CASE = Healthy("images, classes", "units that are close to zero for most samples", lambda: Experiment(build, 15))
