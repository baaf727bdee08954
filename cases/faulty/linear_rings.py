"""Three linear layers and nothing between them: no straight line parts a ring from what it surrounds."""

import torch
from torch import nn

from cases.case import Case
from cases.data import circles, loaders
from torchdoctor import Experiment, Parts


def program(bend: type[nn.Module]) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 32), bend(), nn.Linear(32, 32), bend(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*circles(), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="own, after forum threads on networks that learn no more than a line",
    task="table, binary",
    faults=("missing-hidden-activation",),
    faulty=lambda: program(nn.Identity),
    fixed=lambda: program(nn.ReLU),
    where=("0", "2", "4"),
)
