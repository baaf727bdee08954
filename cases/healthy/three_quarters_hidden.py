"""A masked autoencoder: most of a picture is hidden, other pixels each time, and only the hidden ones count."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Guesser(nn.Module):
    """(N, 64) -> (N, 2, 64): guesses, and 1 where the pixel was hidden."""

    def __init__(self, hidden: float = 0.6) -> None:
        super().__init__()
        self.hidden = hidden
        self.net = nn.Sequential(nn.Linear(128, 192), nn.GELU(), nn.Linear(192, 192), nn.GELU(), nn.Linear(192, 64))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            away = (torch.rand_like(x) < self.hidden).float()
        else:  # the same columns each time, so that scores can be compared
            away = (torch.arange(64) % 5 < 3).float().expand_as(x)
        return torch.stack([self.net(torch.cat([x * (1 - away), away], 1)), away], 1)


def of_the_hidden(output: Tensor, x: Tensor) -> Tensor:
    said, away = output.unbind(1)
    return (away * (said - x) ** 2).sum() / away.sum()


def build(seed: int) -> Parts:
    x, _ = digits()
    torch.manual_seed(seed)
    model = Guesser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)
    return Parts(model, of_the_hidden, optimizer, *loaders(x, x, seed, batch_size=64), scheduler=schedule)


def score(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    with torch.no_grad():
        x = torch.cat([x for x, _ in loader])
        said, away = model(x).unbind(1)
        return 1 - ((away * (said - x) ** 2).sum() / (away * (x - x.mean(0)) ** 2).sum()).item()


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, target in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), target).backward()
            parts.optimizer.step()
        parts.scheduler.step()
        log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "images, generative", "most inputs are zero, others each time", lambda: Experiment(build, 60, fit, score)
)
