"""Six quantities are predicted by six sigmoids, though they do not lie between 0 and 1."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


class Regressor(nn.Module):
    def __init__(self, bounded: bool) -> None:
        super().__init__()
        self.bounded = bounded
        self.fc1, self.fc2, self.fc3 = nn.Linear(28, 20), nn.Linear(20, 15), nn.Linear(15, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))
        return torch.sigmoid(x) if self.bounded else x


def program(bounded: bool) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(5)
        x = torch.randn(1200, 28, generator=numbers)
        y = torch.tanh(x @ torch.randn(28, 10, generator=numbers) / 4) @ torch.randn(10, 6, generator=numbers)
        torch.manual_seed(seed)
        model = Regressor(bounded)
        return Parts(model, nn.L1Loss(), torch.optim.Adam(model.parameters(), lr=3e-3), *loaders(x, y, seed))

    return Experiment(build, epochs=40)


CASE = Case(
    source="stackoverflow.com/questions/50555434",
    task="table, regression",
    faults=("wrong-output-activation",),
    faulty=lambda: program(bounded=True),
    fixed=lambda: program(bounded=False),
)
