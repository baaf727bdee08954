"""An LSTM that predicts counts of passengers from counts of passengers, in hundreds on both sides."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, passengers
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.output = nn.Linear(32, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.lstm(x)
        return self.output(states[:, -1])


def program(scaled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = passengers()
        if scaled:
            x, y = (x - 280) / 120, (y - 280) / 120
        torch.manual_seed(seed)
        model = Forecast()
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed, batch_size=16))

    return Experiment(build, epochs=60)


CASE = Case(
    source="own, after many questions of the kind",
    task="sequences, regression",
    faults=("unscaled-targets", "unscaled-inputs"),
    faulty=lambda: program(scaled=False),
    fixed=lambda: program(scaled=True),
)
