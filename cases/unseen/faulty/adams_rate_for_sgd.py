"""Wine growers by plain SGD with the 1e-4 that a paper used with Adam: 60 passes, and hardly a step."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


def program(lr):
    def build(seed):
        x, y = wine()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
        return Parts(
            model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=lr), *loaders(standard(x), y, seed, 16)
        )

    return Experiment(build, epochs=60)


CASE = Case(
    source="another optimizer's learning rate",
    task="table, classes",
    faults=("low-learning-rate",),
    faulty=lambda: program(1e-4),
    fixed=lambda: program(0.05),
)
