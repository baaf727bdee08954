"""Adadelta, which is meant to run at 1, runs at 0.001."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
            nn.Flatten(), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adadelta(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))

    return Experiment(build, epochs=12)


CASE = Case(
    source="DeepCrime (ISSTA 2021) mutant M1; mended, the original MNIST program",
    task="images, classes",
    faults=(either("low-learning-rate", "unsuitable-optimizer"),),
    faulty=lambda: program(lr=0.001),
    fixed=lambda: program(lr=1.0),
)
