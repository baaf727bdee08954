"""One digit in ten bears another's label."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(share: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits()
        random = torch.Generator().manual_seed(3)
        wrong = torch.rand(len(y), generator=random) < share
        y = torch.where(wrong, (y + torch.randint(1, 10, y.shape, generator=random)) % 10, y)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after Northcutt, Athalye, Mueller, Pervasive Label Errors in Test Sets (2021)",
    task="images, classes",
    faults=("noisy-labels",),
    faulty=lambda: program(share=0.1),
    fixed=lambda: program(share=0.0),
)
