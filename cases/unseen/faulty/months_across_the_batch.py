"""nn.LSTM without batch_first gets (N, length, 1): it walks through the batch and takes the months for samples."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case, either
from cases.readers import series
from torchdoctor import Experiment, Parts


class Forecast(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=batch_first)
        self.fc = nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


def build(seed: int, mended: bool) -> Parts:
    level = series("monthly-sunspots", "Sunspots")
    level = (level - level[:2000].mean()) / level[:2000].std()
    # 6 months ahead: the last month alone does not tell it
    x, y = level.unfold(0, 24, 1)[:-6, :, None], level[29:, None]
    shuffling = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    model = Forecast(batch_first=mended)
    train = DataLoader(TensorDataset(x[:2000], y[:2000]), 50, shuffle=True, generator=shuffling)
    val = DataLoader(TensorDataset(x[2030:], y[2030:]), 128)
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=5e-3), train, val)


CASE = Case(
    source="batch_first forgotten, a perennial of the forums",
    task="time series, regression",
    faults=(either("mixed-batch", "swapped-dimensions"),),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=12),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=12),
    where=("lstm",),
)
