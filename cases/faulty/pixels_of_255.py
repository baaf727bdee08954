"""A deep linear layer, a hidden layer and a sigmoid on pixels of 0..255, by plain gradient descent at 1e-4."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def program(scale: float, lr: float, *last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = mnist(1500)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 200), nn.Linear(200, 50), nn.ReLU(), nn.Linear(50, 10), *last
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / scale, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="stackoverflow.com/questions/55328966",
    task="images, classes",
    faults=("unscaled-inputs", either("redundant-output-activation", "wrong-output-activation")),
    faulty=lambda: program(1, 1e-4, nn.Sigmoid()),
    fixed=lambda: program(255, 0.1),
)
