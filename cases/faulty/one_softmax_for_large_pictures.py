"""A network for large pictures, eleven by eleven to begin with, whose one answer is a softmax over one unit."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def program(last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        x, centre = spots(400, size=32)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 11, padding="same"), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(12, 16, 3, padding="same"),
            nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(144, 30), nn.ReLU(), nn.Dropout(0.2), nn.Linear(30, 1), last,
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.BCELoss(), optimizer, *loaders(x, (centre[:, :1] > 0).float(), seed))

    return Experiment(build, epochs=5)


CASE = Case(
    source="stackoverflow.com/questions/58844149",
    task="images, binary",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=lambda: program(nn.Sigmoid()),
)
