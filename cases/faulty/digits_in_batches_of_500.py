"""Batches of 500 digits, three an epoch."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(batch_size: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(108, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size))

    return Experiment(build, epochs=7)


CASE = Case(
    source="own, after stackoverflow.com/questions/48594888",
    task="images, classes",
    faults=(either("large-batch", "too-few-epochs"),),
    faulty=lambda: program(batch_size=500),
    fixed=lambda: program(batch_size=32),
)
