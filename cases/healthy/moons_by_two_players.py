"""A generative adversarial net for the shape of two moons: two players, two optimizers, and losses that never fall."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import loaders, moons
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Players(nn.Module):
    """forward gives the critic's opinion, as a logit that the points are real."""

    def __init__(self) -> None:
        super().__init__()
        self.maker = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.critic = nn.Sequential(
            nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.critic(x)

    def made(self, n: int) -> Tensor:
        return self.maker(torch.randn(n, 4))


def build(seed: int) -> Parts:
    x, _ = moons(2000, noise=0.08)
    torch.manual_seed(seed)
    model = Players()
    optimizer = torch.optim.Adam(model.critic.parameters(), lr=1e-3, betas=(0.5, 0.9))
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, torch.ones(len(x), 1), seed, batch_size=64))


def energy(a: Tensor, b: Tensor) -> float:
    """Energy distance of two clouds, 0 where they are the same (Szekely and Rizzo)."""
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


def fit(parts: Parts, log: Log) -> None:
    players = parts.model
    of_maker = torch.optim.Adam(players.maker.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for epoch in range(log.epochs):
        players.train()
        for real, ones in parts.train:
            fake = players.made(len(real))
            seen = real.clone().requires_grad_()
            opinion = players(seen)
            slope = torch.autograd.grad(opinion.sum(), seen, create_graph=True)[0].square().sum(1).mean()
            fooled = F.binary_cross_entropy_with_logits(players(fake.detach()), 0 * ones)
            parts.optimizer.zero_grad()
            (parts.loss_fn(opinion, ones) + fooled + 0.1 * slope).backward()
            parts.optimizer.step()
            of_maker.zero_grad()
            parts.loss_fn(players(players.made(len(real))), ones).backward()
            of_maker.step()
        players.eval()
        with torch.no_grad():
            real = torch.cat([x for x, _ in parts.val])
            log(epoch=epoch, val_score=-energy(players.made(len(real)), real))


CASE = Healthy(
    "points, generative", "two losses that stay where they are", lambda: Experiment(build, epochs=60, fit=fit)
)
