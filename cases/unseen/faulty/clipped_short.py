"""A GRU on sunspots: gradients are clipped to a norm of 0.001 'to be safe', and plain SGD takes what is left."""

import torch
from torch import nn

from cases.case import Case
from cases.records import in_time, sunspots, windows
from torchdoctor import Experiment, Parts


class SunGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 16, batch_first=True)
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        return self.out(self.gru(x[..., None])[0][:, -1])


def build(seed):
    series = sunspots()
    x, y = windows((series - series.mean()) / series.std(), 18)
    torch.manual_seed(seed)
    model = SunGru()
    return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1), *in_time(x, y, seed))


def program(longest):
    def fit(parts, log):
        for _ in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad(set_to_none=True)
                parts.loss_fn(parts.model(x), y).backward()
                torch.nn.utils.clip_grad_norm_(parts.model.parameters(), max_norm=longest)
                parts.optimizer.step()

    return Experiment(build, epochs=8, fit=fit)


CASE = Case(
    source="a guard against exploding gradients that were never there",
    task="series, forecast",
    faults=("tight-clipping",),
    faulty=lambda: program(0.001),
    fixed=lambda: program(1.0),
)
