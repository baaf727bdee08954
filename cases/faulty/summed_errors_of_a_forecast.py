"""A forecast whose squared errors are summed by hand over a batch of 128."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.output = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(self.gru(x)[0][:, -1])


def summed(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2).sum()


def averaged(output: Tensor, target: Tensor) -> Tensor:
    return ((output - target) ** 2).mean()


def program(loss_fn: object) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Forecast()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Parts(model, loss_fn, optimizer, *loaders(*next_values(), seed, batch_size=128))

    return Experiment(build, epochs=25)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=(either("summed-loss", "high-learning-rate"),),
    faulty=lambda: program(summed),
    fixed=lambda: program(averaged),
)
