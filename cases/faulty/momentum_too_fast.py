"""A LeNet by SGD at 0.5 with momentum: after a few steps every unit is dead and every answer the same."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 3), nn.ReLU(),
            nn.Flatten(), nn.Linear(64, 84), nn.ReLU(), nn.Linear(84, 10),
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after PyTorch forum threads on a loss that stays at 2.3",
    task="images, classes",
    faults=("high-learning-rate",),
    faulty=lambda: program(lr=0.5),
    fixed=lambda: program(lr=0.02),
)
