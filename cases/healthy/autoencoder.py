"""Digits through a bottleneck of eight numbers and back; the targets are the inputs."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, _ = digits()
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 8), nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid()
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, x, seed))


CASE = Healthy("images, generative", "pixels that are always zero as targets", lambda: Experiment(build, epochs=25))
