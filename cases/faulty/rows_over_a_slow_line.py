"""Rows of a table that come one by one over a line with a delay of a millisecond."""

import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Far(Dataset):
    """Rows that take `delay` seconds each."""

    def __init__(self, x: Tensor, y: Tensor, delay: float) -> None:
        self.x, self.y, self.delay = x, y, delay

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if self.delay:
            time.sleep(self.delay)
        return self.x[index], self.y[index]


def program(delay: float) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*table(500, 20, 3), seed)
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        data = DataLoader(Far(*train.dataset.tensors, delay), 16, shuffle=True, generator=shuffling)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, data, val)

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("slow-data-loading",),
    faulty=lambda: program(delay=1e-3),
    fixed=lambda: program(delay=0.0),
)
