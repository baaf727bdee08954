"""Twenty dense layers with nothing but ReLU between them, drawn as PyTorch draws them."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(normed: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for _ in range(19):
            layers += [nn.Linear(64, 64), *([nn.BatchNorm1d(64)] if normed else []), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(64, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="images, classes",
    faults=(either("missing-normalization", "excessive-depth", "badly-scaled-init"),),
    faulty=lambda: program(normed=False),
    fixed=lambda: program(normed=True),
)
