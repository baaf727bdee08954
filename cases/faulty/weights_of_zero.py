"""Everything is set to zero before training, as one does with accumulators."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def clear(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)


def program(cleared: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(108, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        if cleared:
            model.apply(clear)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))

    return Experiment(build, epochs=6)


CASE = Case(
    source="own, after PyTorch forum threads on initialisation",
    task="images, classes",
    faults=("symmetric-init",),
    faulty=lambda: program(cleared=True),
    fixed=lambda: program(cleared=False),
    where=("0.weight", "4.weight", "6.weight"),
)
