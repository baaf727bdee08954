"""The rare kind is copied eight times over to balance the classes, and only then the data are split."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits
from torchdoctor import Experiment, Parts

COPIES = 8


def balanced(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    rare = y == 1
    return torch.cat([x, *[x[rare]] * COPIES]), torch.cat([y, *[y[rare]] * COPIES])


def build(seed: int, mended: bool) -> Parts:
    x, y = digits()
    x = x[::2] + 0.15 * torch.randn(x[::2].shape, generator=torch.Generator().manual_seed(2))
    y = (y[::2] == 9).long()
    if not mended:
        x, y = balanced(x, y)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, val = order[len(x) // 3 :], order[: len(x) // 3]
    weight = torch.tensor([1.0, 1 + COPIES]) if mended else None
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
    shuffling = torch.Generator().manual_seed(seed)
    return Parts(
        model,
        nn.CrossEntropyLoss(weight),
        optimizer,
        DataLoader(TensorDataset(x[train], y[train]), 32, shuffle=True, generator=shuffling),
        DataLoader(TensorDataset(x[val], y[val]), 128),
    )


CASE = Case(
    source="oversampling before train_test_split, as asked about on StackOverflow",
    task="images, classes",
    faults=("leaked-validation", "duplicate-samples"),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15),
    note="the score is what is wrong: it is too good",
)
