"""Sunspots from above: expectiles (Newey and Powell 1987), a loss that weighs one side four times."""

import torch
from torch import nn

from cases.case import Healthy
from cases.records import in_time, sunspots, windows
from torchdoctor import Experiment, Parts


def expectile(output, target, above=0.8):
    error = target - output
    return (torch.where(error > 0, above, 1 - above) * error**2).mean()


def build(seed):
    spots = sunspots().clamp(min=0).sqrt()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Unflatten(1, (1, -1)), nn.Conv1d(1, 8, 4), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 21, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = windows((spots - spots.mean()) / spots.std(), 24)
    return Parts(model, expectile, optimizer, *in_time(x, y, seed))


CASE = Healthy("series, forecast", "outputs that lie above the targets on purpose", lambda: Experiment(build, 15))
