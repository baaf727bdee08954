"""A forecast is squeezed to (N,) and subtracted from a column by hand."""

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self, squeeze: bool) -> None:
        super().__init__()
        self.squeeze = squeeze
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.output = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.output(self.gru(x)[0][:, -1])
        return x.squeeze(-1) if self.squeeze else x


def squared_error(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2).mean()


def program(squeeze: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Forecast(squeeze)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        return Parts(model, squared_error, optimizer, *loaders(*next_values(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=("broadcast-loss",),
    faulty=lambda: program(squeeze=True),
    fixed=lambda: program(squeeze=False),
)
