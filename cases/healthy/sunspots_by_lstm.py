"""An LSTM of tanh cells predicts next month's sunspots from three years; noise keeps it from predicting all."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.records import in_time, sunspots, windows
from torchdoctor import Experiment, Parts


class Forecaster(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.head = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def build(seed: int) -> Parts:
    spots = sunspots()
    x, y = windows((spots - spots.mean()) / spots.std(), 36)
    torch.manual_seed(seed)
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.MSELoss(), optimizer, *in_time(x[..., None], y, seed, 64))


CASE = Healthy("series, regression", "recurrent tanh over 36 steps", lambda: Experiment(build, epochs=12))
