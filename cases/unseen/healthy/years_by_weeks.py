"""Temperatures of weeks as year and week, each a vector: a factor model of which a step touches only some rows."""

from collections import defaultdict

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders
from cases.readers import rows
from torchdoctor import Experiment, Parts


class Factors(nn.Module):
    def __init__(self, years: int = 10, weeks: int = 53, rank: int = 2) -> None:
        super().__init__()
        self.year, self.week = nn.Embedding(years, rank), nn.Embedding(weeks, rank)
        self.year_level, self.week_level = nn.Embedding(years, 1), nn.Embedding(weeks, 1)
        self.level = nn.Parameter(torch.zeros(1))
        for table in (self.year, self.week, self.year_level, self.week_level):
            nn.init.normal_(table.weight, std=0.05)

    def forward(self, at: Tensor) -> Tensor:
        year, week = at.unbind(1)
        both = (self.year(year) * self.week(week)).sum(1, keepdim=True)
        return both + self.year_level(year) + self.week_level(week) + self.level


def build(seed: int) -> Parts:
    of_week: dict[tuple[int, int], list[float]] = defaultdict(list)
    for r in rows("timeseries/daily-min-temperatures.csv"):
        year, month, day = (int(part) for part in r["Date"].split("-"))
        of_week[year - 1981, ((month - 1) * 31 + day) // 7].append(float(r["Temp"]))
    at = torch.tensor(list(of_week))
    degrees = torch.tensor([[sum(v) / len(v)] for v in of_week.values()])
    torch.manual_seed(seed)
    model = Factors(weeks=int(at[:, 1].max()) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.2)
    data = loaders(at, (degrees - 11.2) / 3.3, seed, batch_size=16)
    return Parts(model, nn.MSELoss(), optimizer, *data)


CASE = Healthy("table, factors", "rows without a gradient in most steps", lambda: Experiment(build, epochs=25))
