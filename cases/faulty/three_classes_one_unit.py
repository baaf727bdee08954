"""Three classes 0, 1 and 2 are given to one unit and a binary loss, which falls for ever."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


def program(units: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = cifar(3000)
        x, y = x[y < 3] / 127.5 - 1, y[y < 3]
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1152, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, units),
        )  # fmt: skip
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
        if units == 1:
            return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y.float()[:, None], seed))
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="stackoverflow.com/questions/50079585",
    task="images, classes",
    faults=(either("invalid-labels", "wrong-output-width", "wrong-loss"),),
    faulty=lambda: program(units=1),
    fixed=lambda: program(units=3),
)
