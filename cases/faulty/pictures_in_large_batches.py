"""Raw pictures, batches of 500 and five epochs: ten updates in all."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


def program(scaled: bool, batch_size: int, epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = cifar(1334)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1152, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10),
        )  # fmt: skip
        for module in (model[0], model[3]):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        optimizer = torch.optim.Adam(model.parameters())
        data = loaders(x / 127.5 - 1 if scaled else x, y, seed, batch_size)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *data)

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="stackoverflow.com/questions/48594888",
    task="images, classes",
    faults=("unscaled-inputs", either("too-few-epochs", "large-batch")),
    faulty=lambda: program(scaled=False, batch_size=500, epochs=5),
    fixed=lambda: program(scaled=True, batch_size=32, epochs=8),
)
