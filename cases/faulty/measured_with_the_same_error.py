"""Noise is added to a table by workers that all begin with the seed 0, in each epoch again."""

import random

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


class Noisy(Dataset):
    """Rows with an error of measurement of a tenth."""

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = self.x[index]
        return row + torch.tensor([random.gauss(0, 0.1) for _ in row]), self.y[index]


def same_seed(worker: int) -> None:
    random.seed(0)


def program(seeded: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        train, val = loaders(x, standard(y), seed)
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        init = same_seed if seeded else None
        data = DataLoader(
            Noisy(*train.dataset.tensors), 32, shuffle=True, generator=shuffling, num_workers=2, worker_init_fn=init
        )
        return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=3e-3), data, val)

    return Experiment(build, epochs=4)


CASE = Case(
    source="own, after forum threads on worker_init_fn",
    task="table, regression",
    faults=("repeated-augmentation",),
    faulty=lambda: program(seeded=True),
    fixed=lambda: program(seeded=False),
)
