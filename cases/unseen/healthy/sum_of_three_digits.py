"""Deep sets (Zaheer 2017): three pictures in no order, and their sum as the answer; no digit is ever named."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import digits
from torchdoctor import Experiment, Parts


class Sum(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32), nn.ReLU())
        self.all = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.all(self.each(x).sum(1))


def triples(x: Tensor, y: Tensor, n: int, seed: int) -> TensorDataset:
    which = torch.randint(len(x), (n, 3), generator=torch.Generator().manual_seed(seed))
    return TensorDataset(x[which], y[which].sum(1, keepdim=True).float() / 5 - 2.7)


def build(seed: int) -> Parts:
    x, y = digits()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    torch.manual_seed(seed)
    model = Sum()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(triples(x[:1300], y[:1300], 4000, 1), 64, shuffle=True, generator=shuffling)
    val = DataLoader(triples(x[1300:], y[1300:], 500, 2), 250)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    return Parts(model, nn.MSELoss(), optimizer, train, val, scheduler=schedule)


CASE = Healthy("images, sets", "every picture in many samples", lambda: Experiment(build, epochs=20))
