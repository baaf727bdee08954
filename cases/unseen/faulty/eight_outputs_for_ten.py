"""Ten kinds of clothes squeezed into eight outputs: labels 8 and 9 were clipped to make the error message go away."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(outputs):
    def build(seed):
        x, y = mnist(4000, "fashion_mnist")
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 5, 3), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(144, outputs)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, clipped, optimizer, *loaders(x / 255, y, seed))

    def clipped(scores, label):
        return nn.functional.cross_entropy(scores, label.clamp(max=outputs - 1))

    return Experiment(build, epochs=8)


CASE = Case(
    source="'IndexError: Target 8 is out of bounds', silenced",
    task="images, classes",
    faults=(either("wrong-output-width", "invalid-labels"),),
    faulty=lambda: program(8),
    fixed=lambda: program(10),
)
