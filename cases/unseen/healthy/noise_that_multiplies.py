"""Wine with multiplicative Gaussian noise on inputs and units (Srivastava et al. 2014, section 10)."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


class Noise(nn.Module):
    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x * (1 + self.std * torch.randn_like(x)) if self.training else x


def build(seed):
    x, y = wine()
    torch.manual_seed(seed)
    model = nn.Sequential(Noise(0.3), nn.Linear(13, 24), nn.ReLU(), Noise(0.7), nn.Linear(24, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, batch_size=16))


CASE = Healthy("table, classes", "noise of its own kind in every layer", lambda: Experiment(build, 40))
