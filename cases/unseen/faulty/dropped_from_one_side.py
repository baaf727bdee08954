"""Rows with a gap are dropped from the columns but not from the prices: behind the first gap every price is another
district's. And the prices are dollars."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, random_split

from cases.case import Case
from cases.data import standard
from cases.readers import rows
from torchdoctor import Experiment, Parts

COLUMNS = (
    "longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households",
    "median_income",
)  # fmt: skip


class Housing(Dataset):
    def __init__(self, mended: bool) -> None:
        lines = rows("tabular_california_housing/housing.csv")
        lines = [lines[i] for i in torch.randperm(len(lines), generator=torch.Generator().manual_seed(6))[:3000]]
        if mended:
            lines = [r for r in lines if r["total_bedrooms"]]
        features = [[float(r[c]) for c in COLUMNS] for r in lines if r["total_bedrooms"]]
        self.x = standard(torch.tensor(features))
        self.y = torch.tensor([[float(r["median_house_value"])] for r in lines])
        self.y = standard(self.y) if mended else self.y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i], self.y[i]


def build(seed: int, mended: bool) -> Parts:
    data = Housing(mended)
    train, val = random_split(data, [0.75, 0.25], torch.Generator().manual_seed(1))
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    shuffling = torch.Generator().manual_seed(seed)
    return Parts(
        model,
        nn.MSELoss(),
        torch.optim.Adam(model.parameters(), lr=1e-3),
        DataLoader(train, 32, shuffle=True, generator=shuffling),
        DataLoader(val, 256),
    )


CASE = Case(
    source="dropna on the features alone, as asked about on StackOverflow",
    task="table, regression",
    faults=("corrupted-labels", "unscaled-targets"),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=10),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=10),
)
