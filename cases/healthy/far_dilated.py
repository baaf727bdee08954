"""Causal convolutions with growing gaps read a series and predict each next value; no value sees those after it."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import next_values
from cases.records import in_time
from torchdoctor import Experiment, Parts


class Causal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv1d(1 if gap == 1 else 16, 16, 2, dilation=gap) for gap in (1, 2, 4, 8))
        self.head = nn.Conv1d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.relu(layer(nn.functional.pad(x, (layer.dilation[0], 0))))
        return self.head(x)


def build(seed: int) -> Parts:
    x, y = next_values()
    x = x.transpose(1, 2)
    target = torch.cat([x[:, :, 1:], y[:, :, None]], dim=2)
    torch.manual_seed(seed)
    model = Causal()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.MSELoss(), optimizer, *in_time(x, target, seed))


CASE = Healthy("series, autoregressive", "a target for each place", lambda: Experiment(build, epochs=12))
