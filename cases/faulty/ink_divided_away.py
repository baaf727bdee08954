"""Whole numbers of ink are divided by 255 without a remainder, and of 16 steps of grey nothing is left."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(whole: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        ink = (16 * x).long()
        pictures = (ink // 255).float() if whole else ink / 16
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(144, 48),
            nn.ReLU(),
            nn.Linear(48, 10),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(pictures, y, seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("constant-features",),
    faulty=lambda: program(whole=True),
    fixed=lambda: program(whole=False),
)
