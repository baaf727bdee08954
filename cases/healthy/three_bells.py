"""A mixture of three bells for a curve that has several answers; the loss is a density's and may be negative."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def mixture(output: Tensor) -> torch.distributions.MixtureSameFamily:
    share, mean, width = output.split(3, dim=1)
    bells = torch.distributions.Normal(mean, width.clamp(-5, 3).exp())
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=share), bells)


def likelihood(output: Tensor, target: Tensor) -> Tensor:
    return -mixture(output).log_prob(target[:, 0]).mean()


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(7)
    y = torch.rand(1500, 1, generator=numbers) * 2 - 1
    x = y + 0.3 * torch.sin(2 * torch.pi * y) + 0.05 * torch.randn(1500, 1, generator=numbers)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 48), nn.Tanh(), nn.Linear(48, 9))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, likelihood, optimizer, *loaders(x, y, seed))


def score(model: nn.Module, loader: object) -> float:
    return -sum(float(likelihood(model(x), y)) for x, y in loader)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "one number, density", "nine outputs for one target", lambda: Experiment(build, 20, fit=fit, score=score)
)
