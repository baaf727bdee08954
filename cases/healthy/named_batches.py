"""Batches are dicts of a number column and a category column, as many data sets give them."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Healthy
from cases.data import table
from torchdoctor import Experiment, Parts
from torchdoctor.data.pairs import Pairs


class Customers(Dataset):
    """A made-up table with one column of three categories that shifts the rest."""

    def __init__(self, rows: slice) -> None:
        x, y = table(1500, 12, 2, seed=4)
        kind = torch.randint(3, (1500,), generator=torch.Generator().manual_seed(1))
        self.x, self.y, self.kind = (x + kind[:, None].float())[rows], y[rows], kind[rows]

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> dict[str, Tensor]:
        return {"numbers": self.x[i], "kind": self.kind[i], "label": self.y[i]}


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.kinds = nn.Embedding(3, 4)
        self.body = nn.Sequential(nn.BatchNorm1d(16), nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 2))

    def forward(self, numbers: Tensor, kind: Tensor) -> Tensor:
        return self.body(torch.cat([numbers, self.kinds(kind)], dim=1))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Net()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(Customers(slice(0, 1100)), 32, shuffle=True, generator=shuffling)
    named = {"inputs": ["numbers", "kind"], "target": "label"}
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    val = DataLoader(Customers(slice(1100, None)), 128)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, Pairs(train, **named), Pairs(val, **named))


CASE = Healthy("table, binary", "dicts, numbers beside categories", lambda: Experiment(build, epochs=12))
