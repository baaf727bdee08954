"""Two hundred pictures were copied four times each, to have more of them."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(copies: int) -> Experiment:
    def build(seed: int) -> Parts:
        train, val = loaders(*digits(), seed)
        x, y = train.dataset.tensors
        few = [t[:200].repeat(copies, *[1] * (t.ndim - 1)) for t in (x, y)] if copies > 1 else [x, y]
        shuffling = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        data = DataLoader(TensorDataset(*few), 32, shuffle=True, generator=shuffling)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, data, val)

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="images, classes",
    faults=("duplicate-samples",),
    faulty=lambda: program(copies=5),
    fixed=lambda: program(copies=1),
)
