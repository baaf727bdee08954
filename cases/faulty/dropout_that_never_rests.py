"""F.dropout is not told the mode, so it drops in evaluation too."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, follows: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3)
        self.hidden = nn.Linear(576, 64)
        self.output = nn.Linear(64, 10)
        self.follows = follows

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.hidden(torch.relu(self.conv(x)).flatten(1)))
        x = nn.functional.dropout(x, 0.5, training=self.training) if self.follows else nn.functional.dropout(x, 0.5)
        return self.output(x)


def program(follows: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Net(follows)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after forum threads on functional dropout",
    task="images, classes",
    faults=("mode-insensitive-layer",),
    faulty=lambda: program(follows=False),
    fixed=lambda: program(follows=True),
)
