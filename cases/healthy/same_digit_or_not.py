"""Two pictures go through one net, and their distance says whether both show the same digit."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import digits
from torchdoctor import Experiment, Parts


class Twins(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32))
        self.head = nn.Linear(32, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.head((self.body(left) - self.body(right)).abs()).squeeze(1)


def pairs(x: Tensor, y: Tensor, n: int) -> TensorDataset:
    """n pairs, about half of them of one digit."""
    numbers = torch.Generator().manual_seed(5)
    first = torch.randint(len(x), (n,), generator=numbers)
    by_class = [(y == k).nonzero()[:, 0] for k in range(10)]
    second = torch.randint(len(x), (n,), generator=numbers)
    for i in range(0, n, 2):
        rows = by_class[int(y[first[i]])]
        second[i] = rows[torch.randint(len(rows), (1,), generator=numbers)]
    return TensorDataset(x[first], x[second], (y[first] == y[second]).float())


def build(seed: int) -> Parts:
    x, y = digits()
    torch.manual_seed(seed)
    model = Twins()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(pairs(x[:1300], y[:1300], 3000), 64, shuffle=True, generator=shuffling)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, train, DataLoader(pairs(x[1300:], y[1300:], 800), 256))


CASE = Healthy("images, pairs", "two inputs through the same weights", lambda: Experiment(build, epochs=12))
