"""Two views of each digit attract each other and repel all others of the batch: the loss mixes samples, as meant."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 32))

    def forward(self, x: Tensor) -> Tensor:
        views = x.view(len(x), 2, 64)
        return F.normalize(self.body(views), dim=-1)


def info_nce(output: Tensor, target: Tensor) -> Tensor:
    similarity = output[:, 0] @ output[:, 1].T / 0.2
    return F.cross_entropy(similarity, torch.arange(len(output)))


def build(seed: int) -> Parts:
    x, y = digits()
    noise = torch.Generator().manual_seed(0)
    views = torch.cat([x + 0.15 * torch.randn(x.shape, generator=noise) for _ in range(2)], dim=1)
    torch.manual_seed(seed)
    model = Encoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, info_nce, optimizer, *loaders(views, y, seed, batch_size=64))


def score(model: nn.Module, loader: object) -> float:
    return -sum(info_nce(model(x), y).item() for x, y in loader)


def fit(parts: Parts, log) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()


CASE = Healthy(
    "images, representation", "a loss over pairs; labels go unused", lambda: Experiment(build, 20, fit=fit, score=score)
)
