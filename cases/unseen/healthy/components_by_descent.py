"""A linear autoencoder with nothing between its layers: principal components by gradient descent (Baldi 1989)."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, _ = digits()
    x = x - x.mean(0)
    torch.manual_seed(seed)
    encoder = nn.utils.parametrizations.orthogonal(nn.Linear(64, 12, bias=False))
    model = nn.Sequential(encoder, nn.Linear(12, 64, bias=False))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, x, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for group in parts.optimizer.param_groups:
            group["lr"] = 1e-2 * 0.02 ** (epoch / log.epochs)
        for x, target in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), target).backward()
            parts.optimizer.step()
        with torch.no_grad():
            x = torch.cat([x for x, _ in parts.val])
            log(epoch=epoch, val_score=1 - ((parts.model(x) - x).square().sum() / x.square().sum()).item())


CASE = Healthy("images, components", "two linear layers in a row, on purpose", lambda: Experiment(build, 30, fit=fit))
