"""Four wide layers whose weights are drawn with a standard deviation of 1."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(std: float | None) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(64, 200),
            nn.ReLU(),
            nn.Linear(200, 200),
            nn.ReLU(),
            nn.Linear(200, 200),
            nn.ReLU(),
            nn.Linear(200, 10),
        )
        if std is not None:
            for parameter in model.parameters():
                nn.init.normal_(parameter, std=std)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size=64))

    return Experiment(build, epochs=10)


CASE = Case(
    source="Tensorflow program bugs (ISSTA 2018), IPS-4",
    task="images, classes",
    faults=("badly-scaled-init",),
    faulty=lambda: program(std=1.0),
    fixed=lambda: program(std=None),
)
