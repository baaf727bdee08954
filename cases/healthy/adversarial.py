"""A GAN on rings of points, seen from the discriminator: its loss neither falls nor should."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import moons, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    points = standard(moons()[0])
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    real, noise = torch.ones(32, 1), torch.zeros(32, 1)
    train = [
        (torch.cat([batch, torch.randn(32, 2)]), torch.cat([real, noise]))
        for batch in points.split(32)
        if len(batch) == 32
    ]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.99))
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, train)


def fit(parts: Parts, log: Log) -> None:
    critic, loss_fn = parts.model, parts.loss_fn
    generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for _ in range(log.epochs):
        for x, y in parts.train:
            real, made = x[:32], generator(torch.randn(32, 8))
            parts.optimizer.zero_grad()
            loss_fn(critic(torch.cat([real, made.detach()])), y).backward()
            parts.optimizer.step()
            optimizer.zero_grad()
            loss_fn(critic(made), y[:32]).backward()
            optimizer.step()


CASE = Healthy("points, generative", "a loss that never falls", lambda: Experiment(build, epochs=40, fit=fit))
