"""Pictures stored with their channels last are reshaped, not permuted, to have them first."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def program(permuted: bool) -> Experiment:
    def build(seed: int) -> Parts:
        one, y = spots()
        other = one.flip(0)  # the spot of another picture, in another colour, is of no concern
        last = torch.cat([one, 0.5 * other], 1).permute(0, 2, 3, 1).contiguous()  # (N, 16, 16, 2)
        x = last.permute(0, 3, 1, 2).contiguous() if permuted else last.reshape(-1, 2, 16, 16)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(2, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after forum threads on view and permute",
    task="images, regression",
    faults=("swapped-dimensions",),
    faulty=lambda: program(permuted=False),
    fixed=lambda: program(permuted=True),
    where=("0",),
)
