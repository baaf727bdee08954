"""Error-correcting codes (Dietterich and Bakiri 1995): ten digits as fifteen bits each."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts

CODES = (torch.rand(10, 15, generator=torch.Generator().manual_seed(8)) < 0.5).float()


def build(seed):
    x, y = digits()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 15))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, CODES[y], seed))


def accuracy(model, loader):
    hits = []
    for x, code in loader:
        nearest = torch.cdist(torch.sigmoid(model(x)), CODES, p=1).argmin(1)
        hits.append((CODES[nearest] == code).all(1))
    return float(torch.cat(hits).float().mean())


CASE = Healthy("images, several labels", "15 outputs for 10 classes", lambda: Experiment(build, 30, score=accuracy))
