"""Binary cross-entropy of standardised amounts: it has no lowest value."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(loss_fn: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return Parts(model, loss_fn, optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="stackoverflow.com/questions/46642627",
    task="table, regression",
    faults=(either("wrong-loss", "invalid-labels"),),
    faulty=lambda: program(nn.BCEWithLogitsLoss()),
    fixed=lambda: program(nn.MSELoss()),
)
