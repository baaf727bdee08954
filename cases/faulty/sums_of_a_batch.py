"""Cross-entropy is summed over the batch, at a rate that would suit the mean."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(reduction: str) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(144, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(reduction=reduction), optimizer, *loaders(x, y, seed, batch_size=64))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("summed-loss", "high-learning-rate"),),
    faulty=lambda: program("sum"),
    fixed=lambda: program("mean"),
)
