"""Documents lie in one file per topic; the last files are for validation."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import topics
from torchdoctor import Experiment, Parts


def program(by_file: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = topics(1000)
        order = torch.argsort(y, stable=True) if by_file else torch.arange(len(y))
        x, y = x[order], y[order]
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(600, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 8))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[:750], y[:750]), 32, shuffle=True, generator=shuffling)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(TensorDataset(x[750:], y[750:]), 250))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after a common slip",
    task="text, classes",
    faults=("unshuffled-split",),
    faulty=lambda: program(by_file=True),
    fixed=lambda: program(by_file=False),
)
