"""A Wasserstein critic with gradient penalty: its loss goes below zero, and backward runs through a gradient."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import moons, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def distance(output: Tensor, target: Tensor) -> Tensor:
    """Mean over the made points (target -1) minus mean over the real ones (target 1)."""
    return -(output * target).mean() * 2


def build(seed: int) -> Parts:
    points = standard(moons()[0])
    torch.manual_seed(seed)
    critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    sign = torch.cat([torch.ones(40, 1), -torch.ones(40, 1)])
    train = [(torch.cat([real, 2 * torch.randn(40, 2)]), sign) for real in points.split(40)]
    return Parts(critic, distance, torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9)), train)


def penalty(critic: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * made).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slope.norm(dim=1) - 1) ** 2).mean()


def fit(parts: Parts, log: Log) -> None:
    critic = parts.model
    generator = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    for _ in range(log.epochs):
        for step, (x, sign) in enumerate(parts.train):
            real, made = x[:40], generator(torch.randn(40, 4))
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(critic(torch.cat([real, made.detach()])), sign)
            (loss + 10 * penalty(critic, real, made.detach())).backward()
            parts.optimizer.step()
            if step % 5 == 4:
                optimizer.zero_grad()
                (-critic(made).mean()).backward()
                optimizer.step()


def score(model: nn.Module, loader: object) -> float:
    return -sum(float(distance(model(x), y)) for x, y in loader)


CASE = Healthy(
    "points, generative",
    "a loss below zero, a penalty larger than it",
    lambda: Experiment(build, 25, fit=fit, score=score),
)
