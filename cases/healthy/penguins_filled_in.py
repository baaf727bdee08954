"""Real penguins; the few missing measurements are set to the mean."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, penguins
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = penguins()
    mean = x.nanmean(0)
    x = torch.where(x.isnan(), mean, x)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - mean) / x.std(0), y, seed))


CASE = Healthy("table, classes", "values that were missing", lambda: Experiment(build, epochs=15))
