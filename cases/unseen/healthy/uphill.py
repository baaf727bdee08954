"""The likelihood itself is what is raised: a loss_fn that should grow, and an optimizer told to maximise."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def likelihood(output: Tensor, y: Tensor) -> Tensor:
    """Mean log-likelihood in nats, at most 0."""
    return output.log_softmax(1).gather(1, y[:, None]).mean()


def build(seed: int) -> Parts:
    x, y = wine()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, maximize=True)
    return Parts(model, likelihood, optimizer, *loaders(standard(x), y, seed, batch_size=16))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("table, classes", "a loss that rises all the time, below zero", lambda: Experiment(build, 40, fit=fit))
