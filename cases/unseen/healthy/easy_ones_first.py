"""A curriculum (Bengio et al. 2009): first the digits with most ink, in that order, in the end all of them."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = digits()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))


def fit(parts, log):
    x, y = (torch.stack(t) for t in zip(*parts.train.dataset))
    by_ink = x.sum(1).argsort(descending=True)
    for epoch in range(log.epochs):
        share = min(1.0, (epoch + 3) / (0.5 * log.epochs + 1))
        allowed = by_ink[: int(share * len(by_ink))]
        if share == 1.0:
            allowed = allowed[torch.randperm(len(allowed))]
        for rows in allowed.split(32):
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x[rows]), y[rows]).backward()
            parts.optimizer.step()


CASE = Healthy("images, classes", "ordered batches in the beginning", lambda: Experiment(build, 15, fit=fit))
