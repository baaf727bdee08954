"""Pictures and labels were read from two lists that lie in different orders."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(shifted: int) -> Experiment:
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
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y.roll(shifted), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after forum threads on listings of files that are not sorted",
    task="images, classes",
    faults=("corrupted-labels",),
    faulty=lambda: program(shifted=37),
    fixed=lambda: program(shifted=0),
)
