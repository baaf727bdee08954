"""Four hidden layers and a ReLU after the last one too, before a cross-entropy."""

import torch
from torch import nn

from cases.case import Case
from cases.data import blobs, loaders
from torchdoctor import Experiment, Parts


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        layers: list[nn.Module] = [nn.Linear(2, 50), nn.ReLU()]
        for _ in range(3):
            layers += [nn.Linear(50, 50), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(50, 3), *last)
        for module in model:
            if isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*blobs(), seed, batch_size=64))

    return Experiment(build, epochs=100)


CASE = Case(
    source="AUTOTRAINER (ICSE 2021), demo case of a wrong activation",
    task="table, classes",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.ReLU()),
    fixed=program,
    where=("9",),
)
