"""Weights given as direction and length, or held to a largest stretch of one: parametrizations over plain layers."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from cases.case import Healthy
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = tumours()
    torch.manual_seed(seed)
    model = nn.Sequential(
        weight_norm(nn.Linear(30, 32)), nn.ReLU(), spectral_norm(nn.Linear(32, 32)), nn.ReLU(), nn.Linear(32, 1)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(standard(x), y.float()[:, None], seed))


CASE = Healthy("table, binary", "weights that are computed from others", lambda: Experiment(build, epochs=12))
