"""A linear decay for ten epochs, in a run of eighteen: the rate is below zero from the eleventh on."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(length: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(108, 48), nn.ReLU(),
            nn.Linear(48, 10),
        )  # fmt: skip
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 - epoch / length)
        data = loaders(*digits(images=True), seed, batch_size=64)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *data, scheduler=schedule)

    return Experiment(build, epochs=18)


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("negative-learning-rate",),
    faulty=lambda: program(length=10),
    fixed=lambda: program(length=18),
)
