"""Dropout that works: the training loss lies above the validation loss all the time."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 256),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


CASE = Healthy("images, classes", "training loss above validation loss", lambda: Experiment(build, epochs=25))
