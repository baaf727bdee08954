"""House prices of 15,000 to 500,000 as targets of a net whose outputs begin near zero."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def program(scaled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = houses()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        data = loaders(standard(x), standard(y) if scaled else y, seed, batch_size=64)
        return Parts(model, nn.MSELoss(), optimizer, *data)

    return Experiment(build, epochs=25)


CASE = Case(
    source="own, after many questions of the kind",
    task="table, regression",
    faults=("unscaled-targets",),
    faulty=lambda: program(scaled=False),
    fixed=lambda: program(scaled=True),
)
