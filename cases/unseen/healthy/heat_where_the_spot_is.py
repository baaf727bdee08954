"""A place is learnt as a map of heat that is zero nearly everywhere; the loss is tiny from the first step on."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

LINE = torch.linspace(-1, 1, 16)


def heat(place: Tensor) -> Tensor:
    """(N, 2) -> (N, 1, 16, 16), bells of width 0.15."""
    square = (LINE[None, :, None] - place[:, :1, None]) ** 2 + (LINE[None, None, :] - place[:, 1:, None]) ** 2
    return (-square / 0.045).exp()[:, None]


def place(hot: Tensor) -> Tensor:
    """(N, 1, 16, 16) -> (N, 2): the middle of what is hot."""
    weight = (hot[:, 0].clamp(min=0) ** 2).flatten(1)
    weight = (weight / weight.sum(1, keepdim=True).clamp(min=1e-9)).reshape(-1, 16, 16)
    return torch.stack([(weight.sum(2) * LINE).sum(1), (weight.sum(1) * LINE).sum(1)], 1)


def build(seed: int) -> Parts:
    x, y = spots(600)
    x = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(9))
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.Conv2d(12, 12, 5, padding=2), nn.ReLU(),
        nn.Conv2d(12, 1, 5, padding=2),
    )  # fmt: skip
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), 2e-3), *loaders(x, heat(y), seed, 16))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        total = 0.0
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), y)
            loss.backward()
            parts.optimizer.step()
            total += loss.item() / len(parts.train)
        with torch.no_grad():
            said, true = (place(torch.cat(v)) for v in zip(*((parts.model(x), y) for x, y in parts.val)))
        log(epoch=epoch, train_loss=total, val_score=1 - ((said - true).square().mean() / true.var()).item())


CASE = Healthy("images, key points", "nearly all targets are zero, a tiny loss", lambda: Experiment(build, 10, fit=fit))
