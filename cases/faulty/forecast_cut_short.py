"""A GRU that forecasts a series, stopped while its error was falling."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.output = nn.Linear(24, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.gru(x)[0][:, -1])


def program(epochs: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Forecast()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.005)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(), seed, batch_size=32))

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=(either("too-few-epochs", "low-learning-rate"),),
    faulty=lambda: program(epochs=7),
    fixed=lambda: program(epochs=60),
)
