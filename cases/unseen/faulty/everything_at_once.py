"""All three thousand pictures in one batch: ten epochs are ten steps."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(size):
    def build(seed):
        x, y = mnist(4000)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 96), nn.ReLU(), nn.Linear(96, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed, batch_size=size))

    return Experiment(build, epochs=10)


CASE = Case(
    source="'it all fits into memory'",
    task="images, classes",
    faults=(either("large-batch", "too-few-epochs"),),
    faulty=lambda: program(3000),
    fixed=lambda: program(16),
)
