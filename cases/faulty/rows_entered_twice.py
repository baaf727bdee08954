"""A tenth of the rows were entered twice before the table was split."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(twice: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        x, y = torch.cat([x, x[:twice]]), torch.cat([y, y[:twice]])
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after Barz and Denzler, Do We Train on Test Data? (2020)",
    task="table, regression",
    faults=(either("duplicate-samples", "leaked-validation"),),
    faulty=lambda: program(twice=90),
    fixed=lambda: program(twice=0),
)
