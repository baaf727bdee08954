"""Of the tumours that were judged, eight in a hundred got the wrong verdict."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def program(share: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = tumours()
        wrong = torch.rand(len(y), generator=torch.Generator().manual_seed(3)) < share
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), torch.where(wrong, 1 - y, y), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after Northcutt, Athalye, Mueller, Pervasive Label Errors in Test Sets (2021)",
    task="table, classes",
    faults=("noisy-labels",),
    faulty=lambda: program(share=0.08),
    fixed=lambda: program(share=0.0),
)
