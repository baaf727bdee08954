"""Ten kinds of clothes by one output and the squared distance to the number of the class."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(as_amount):
    def build(seed):
        x, y = mnist(3000, "fashion_mnist")
        torch.manual_seed(seed)
        body = [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 1 if as_amount else 10)]
        model = nn.Sequential(*body)
        criterion = nn.MSELoss() if as_amount else nn.CrossEntropyLoss()
        target = y[:, None].float() if as_amount else y
        return Parts(model, criterion, torch.optim.Adam(model.parameters(), lr=1e-3), *loaders(x / 255, target, seed))

    def accuracy(model, loader):
        hits = []
        for x, y in loader:
            out = model(x)
            guess = out.round() if as_amount else out.argmax(1)
            hits.append((guess == y).float().mean())
        return float(torch.stack(hits).mean())

    return Experiment(build, epochs=6, score=accuracy)


CASE = Case(
    source="'my labels are numbers, so it is a regression'",
    task="images, classes",
    faults=(either("wrong-loss", "wrong-output-width"),),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
