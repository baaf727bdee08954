"""How many spots are in the picture? Zero to six; regression with an average over the picture."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 1, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return 10 * self.body(x).mean((2, 3))


def build(seed: int) -> Parts:
    single, _ = spots(900)
    numbers = torch.Generator().manual_seed(2)
    y = torch.randint(7, (900,), generator=numbers)
    x = torch.zeros_like(single)
    for k in range(6):
        x += single[torch.randperm(900, generator=numbers)] * (y > k)[:, None, None, None]
    torch.manual_seed(seed)
    model = Counter()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.SmoothL1Loss(), optimizer, *loaders(x, y.float()[:, None], seed))


CASE = Healthy("images, counting", "whole numbers by regression", lambda: Experiment(build, epochs=15))
