"""Two layers of seven by seven where three by three would do, and two epochs for all of it."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(kernel: int, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, kernel, padding="same"), nn.ReLU(), nn.Conv2d(16, 16, kernel, padding="same"), nn.ReLU(),
            nn.MaxPool2d(2), nn.Dropout(0.25), nn.Conv2d(16, 32, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
            nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10),
        )  # fmt: skip
        x, y = digits(images=True)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x[:600], y[:600], seed))

    return Experiment(build, epochs)


CASE = Case(
    source="defect4ML 048, with smaller pictures",
    task="images, classes",
    faults=(either("oversized-layer", "too-few-epochs", "high-learning-rate"),),
    faulty=lambda: program(kernel=7, epochs=2),
    fixed=lambda: program(kernel=3, epochs=25),
)
