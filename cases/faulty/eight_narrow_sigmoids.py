"""Eight layers of five sigmoids: hardly any gradient is left for the first."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import circles, loaders
from torchdoctor import Experiment, Parts


def program(activation: type[nn.Module]) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for width in [2] + 7 * [5]:
            layers += [nn.Linear(width, 5), activation()]
        for layer in layers[::2]:
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        model = nn.Sequential(*layers, nn.Linear(5, 1), nn.Sigmoid())
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.BCELoss(), optimizer, *loaders(*circles(), seed, batch_size=128, held_out=0.3))

    return Experiment(build, epochs=150)


CASE = Case(
    source="AUTOTRAINER (ICSE 2021), demo case of a vanishing gradient",
    task="table, binary",
    faults=(either("saturating-activation", "excessive-depth", "missing-normalization"),),
    faulty=lambda: program(nn.Sigmoid),
    fixed=lambda: program(nn.SELU),
)
