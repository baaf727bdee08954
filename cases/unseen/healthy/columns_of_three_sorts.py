"""Three inputs: numbers, a kind that is looked up, and a crossing of two columns for a wide linear part."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.readers import rows
from torchdoctor import Experiment, Parts

NUMBERS = (
    "longitude", "latitude", "housing_median_age", "total_rooms", "population", "households", "median_income"
)  # fmt: skip
SHORES = ("<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN")


class WideAndDeep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shore = nn.Embedding(5, 4)
        self.deep = nn.Sequential(nn.Linear(11, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 32), nn.ReLU())
        self.wide = nn.Embedding(100, 1)
        nn.init.zeros_(self.wide.weight)
        self.out = nn.Linear(32, 1)

    def forward(self, numbers: Tensor, shore: Tensor, cell: Tensor) -> Tensor:
        return self.out(self.deep(torch.cat([numbers, self.shore(shore)], 1))) + self.wide(cell)


def build(seed: int) -> Parts:
    lines = rows("tabular_california_housing/housing.csv")
    lines = [lines[i] for i in torch.randperm(len(lines), generator=torch.Generator().manual_seed(2))[:4000]]
    numbers = torch.tensor([[float(r[c]) for c in NUMBERS] for r in lines])
    ranks = (numbers[:, :2] - numbers[:, :2].amin(0)) / (numbers[:, :2].amax(0) - numbers[:, :2].amin(0) + 1e-6)
    cell = ((10 * ranks).long() * torch.tensor([10, 1])).sum(1)
    numbers[:, 3:] = numbers[:, 3:].log()
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    shore = torch.tensor([SHORES.index(r["ocean_proximity"]) for r in lines])
    price = torch.tensor([[float(r["median_house_value"])] for r in lines]) / 1e5 - 2
    torch.manual_seed(seed)
    model = WideAndDeep()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    parts = [v.split([3200, 800]) for v in (numbers, shore, cell, price)]
    train, val = (TensorDataset(*side) for side in zip(*parts))
    shuffled = DataLoader(train, 64, shuffle=True, generator=torch.Generator().manual_seed(seed))
    return Parts(model, nn.SmoothL1Loss(), optimizer, shuffled, DataLoader(val, 400), scheduler=schedule)


CASE = Healthy("table, regression", "rows of a table of weights that are never used", lambda: Experiment(build, 20))
