"""A sigmoid at the end of the model, and BCEWithLogitsLoss, which has one inside."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts


class Wide(nn.Module):
    def __init__(self, squash: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(1000, 300), nn.ReLU(), nn.Dropout(0.2), nn.Linear(300, 60), nn.PReLU(), nn.Linear(60, 1)
        )
        self.squash = squash

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.body(x)
        return torch.sigmoid(x) if self.squash else x


def program(squash: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = topics(1200, 1000, classes=2, seed=4)
        torch.manual_seed(seed)
        model = Wide(squash)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y.float()[:, None], seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="discuss.pytorch.org/t/27298",
    task="text, binary",
    faults=("redundant-output-activation",),
    faulty=lambda: program(squash=True),
    fixed=lambda: program(squash=False),
)
