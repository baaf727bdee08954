"""The squares of all weights are added to the error of a forecast, with a factor of five."""

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


class Ridge(nn.Module):
    """Squared errors of the outputs, and the squares of a model's weights."""

    def __init__(self, model: nn.Module, strength: float) -> None:
        super().__init__()
        self.weights = list(model.parameters())
        self.strength = strength

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        penalty = torch.stack([p.square().sum() for p in self.weights]).sum()
        return nn.functional.mse_loss(output, target) + self.strength * penalty


def program(strength: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Forecast()
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, Ridge(model, strength), optimizer, *loaders(*next_values(), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="sequences, regression",
    faults=(either("dominant-penalty", "strong-regularization"),),
    faulty=lambda: program(5.0),
    fixed=lambda: program(1e-6),
)
