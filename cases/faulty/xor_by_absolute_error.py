"""XOR with sigmoids, the mean absolute error and a small rate: a thousand epochs end at one half."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import xor
from torchdoctor import Experiment, Parts


def program(mended: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
        for layer in (model[0], model[2]):
            nn.init.xavier_uniform_(layer.weight)
        if mended:
            return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=0.02), [xor()])
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.11, nesterov=True)
        return Parts(model, nn.L1Loss(), optimizer, [xor()])

    return Experiment(build, epochs=1000)


CASE = Case(
    source="stackoverflow.com/questions/31556268",
    task="truth table, binary",
    faults=(
        either("low-learning-rate", "wrong-loss", "unsuitable-optimizer", "too-few-epochs", "saturating-activation"),
    ),
    faulty=lambda: program(mended=False),
    fixed=lambda: program(mended=True),
)
