"""Three layers and a sigmoid, in double precision, and nothing that bends between them: two rings stay unparted."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import circles, loaders
from torchdoctor import Experiment, Parts


class Rings(nn.Module):
    def __init__(self, bends: bool) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(2, 30), nn.Linear(30, 30), nn.Linear(30, 1)
        self.bends = bends

    def forward(self, x: Tensor) -> Tensor:
        for layer in (self.first, self.second):
            x = torch.relu(layer(x)) if self.bends else layer(x)
        return torch.sigmoid(self.third(x))


def program(bends: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Rings(bends).double()
        x, y = circles(600)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.BCELoss(), optimizer, *loaders(x.double(), y.double(), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own, after forum threads on networks that learn no more than a line",
    task="points, binary",
    faults=("missing-hidden-activation",),
    faulty=lambda: program(bends=False),
    fixed=lambda: program(bends=True),
    where=("first", "second", "third"),
)
