"""Each row is disturbed by a generator that the system seeds anew: no run can be repeated."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Disturbed(Dataset):
    """own: by NumPy numbers of the row's own, else by torch's."""

    def __init__(self, x: Tensor, y: Tensor, own: bool) -> None:
        self.x, self.y, self.own = x, y, own

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = self.x[index]
        own = torch.tensor(np.random.default_rng().normal(size=len(row))).float()
        return row + 0.1 * (own if self.own else torch.randn(len(row))), self.y[index]


def program(own: bool) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*table(600, 20, 3), seed)
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        data = DataLoader(Disturbed(*train.dataset.tensors, own), 32, shuffle=True, generator=shuffling)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=3e-3), data, val)

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after NumPy's advice to make generators where they are used",
    task="table, classes",
    faults=("non-deterministic-run",),
    faulty=lambda: program(own=True),
    fixed=lambda: program(own=False),
)
