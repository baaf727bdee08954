"""Diffusion: the net predicts the noise that was mixed in, which nobody can for little of it."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, moons, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Denoiser(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        return self.body(torch.cat([x, time], dim=1))


def noisy(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    time, noise = torch.rand(len(x), 1), torch.randn_like(x)
    angle = time * torch.pi / 2
    return angle.cos() * x + angle.sin() * noise, time, noise


class Noised:
    """Every pass mixes in other noise."""

    def __init__(self, loader: object) -> None:
        self.loader = loader

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self):
        return (noisy(x) for x, _ in self.loader)


def build(seed: int) -> Parts:
    x = standard(moons(1500, noise=0.05)[0])
    train, val = loaders(x, x, seed, 64)
    torch.manual_seed(seed)
    model = Denoiser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.MSELoss(), optimizer, Noised(train), Noised(val))


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for x, time, noise in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x, time), noise).backward()
            parts.optimizer.step()


CASE = Healthy("points, generative", "targets drawn anew, a high floor", lambda: Experiment(build, epochs=30, fit=fit))
