"""Small pictures, and dropout of 0.8 after each block of convolutions and before the last layer."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(p: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Dropout(p), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(p), nn.Flatten(),
            nn.Linear(128, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 10),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))

    return Experiment(build, epochs=10)


CASE = Case(
    source="BerkeleyHCI/umlaut, user_eval/eval_a.py",
    task="images, classes",
    faults=("strong-dropout",),
    faulty=lambda: program(p=0.8),
    fixed=lambda: program(p=0.25),
)
