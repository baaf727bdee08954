"""A forecast that goes through twelve dense layers behind its recurrent one."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.memory = nn.GRU(1, 32, batch_first=True)
        layers = [part for _ in range(depth) for part in (nn.Linear(32, 32), nn.ReLU())]
        self.head = nn.Sequential(*layers, nn.Linear(32, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.memory(x)[0][:, -1])


def program(depth: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Forecast(depth)
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=(either("excessive-depth", "missing-normalization", "badly-scaled-init"),),
    faulty=lambda: program(depth=12),
    fixed=lambda: program(depth=1),
)
