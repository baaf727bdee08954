"""Adam with weight decay of 0.5, as if it were AdamW's: it is added to gradients, which are far smaller."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def program(decay: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(144, 2),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=decay)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*spots(), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after a common slip",
    task="images, regression",
    faults=("strong-regularization",),
    faulty=lambda: program(decay=0.5),
    fixed=lambda: program(decay=1e-5),
)
