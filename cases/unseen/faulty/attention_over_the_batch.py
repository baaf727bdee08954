"""Attention pooling of one's own: the weights are a softmax over dimension 0, where the samples lie."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Pool(nn.Module):
    """(N, places, width) -> (N, width)"""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.score = nn.Sequential(nn.Linear(width, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.softmax(self.score(x), dim=self.dim) * x).sum(1)


class RowByRow(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.rows = nn.GRU(28, 32, batch_first=True)
        self.pool = Pool(32, dim)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.rows(x[:, 0])
        return self.fc(self.pool(out))


def build(seed: int, dim: int) -> Parts:
    x, y = mnist(1600)
    torch.manual_seed(seed)
    model = RowByRow(dim)
    return Parts(
        model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=3e-3), *loaders(x / 255, y, seed)
    )


CASE = Case(
    source="softmax over the wrong axis of an attention, as asked about on the PyTorch forum",
    task="images as sequences, classes",
    faults=("mixed-batch",),
    faulty=lambda: Experiment(partial(build, dim=0), epochs=14),
    fixed=lambda: Experiment(partial(build, dim=1), epochs=14),
    where=("pool",),
)
