"""The first three quarters of a sorted table are for training: validation holds classes that training lacks."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits
from torchdoctor import Experiment, Parts


def program(shuffled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits()
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(1)) if shuffled else torch.argsort(y)
        x, y = x[order], y[order]
        cut = 3 * len(y) // 4
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[:cut], y[:cut]), 32, shuffle=True, generator=shuffling)
        val = DataLoader(TensorDataset(x[cut:], y[cut:]), 256)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("unshuffled-split",),
    faulty=lambda: program(shuffled=False),
    fixed=lambda: program(shuffled=True),
)
