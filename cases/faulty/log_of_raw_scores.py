"""A cross-entropy written out by hand on outputs that are not held between 0 and 1: log of a negative number."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def loss(output: Tensor, target: Tensor) -> Tensor:
    y = nn.functional.one_hot(target, 10).float()
    return -(y * torch.log(output) + (1 - y) * torch.log(1 - output)).mean()


def program(last: nn.Module, std: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 128, bias=False), nn.Sigmoid(), nn.Linear(128, 10, bias=False), last)
        nn.init.normal_(model[0].weight, std=std)
        nn.init.normal_(model[2].weight, std=std)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        return Parts(model, loss, optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="Tensorflow program bugs (ISSTA 2018), IPS-7",
    task="images, classes",
    faults=(either("missing-output-activation", "unstable-loss"), "badly-scaled-init"),
    faulty=lambda: program(nn.Identity(), std=1.0),
    fixed=lambda: program(nn.Sigmoid(), std=0.1),
)
