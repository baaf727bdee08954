"""Smoothed labels: the loss has a floor far above zero."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(label_smoothing=0.1), optimizer, *loaders(*digits(), seed))


CASE = Healthy("images, classes", "a loss with a floor", lambda: Experiment(build, epochs=15))
