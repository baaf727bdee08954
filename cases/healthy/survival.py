"""Survival by Cox's partial likelihood: the loss compares the samples of a batch, and some times are censored."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def partial_likelihood(output: Tensor, target: Tensor) -> Tensor:
    """target: (N, 2), time and whether it ended there. Mean over those that ended (Cox, 1972)."""
    order = target[:, 0].argsort(descending=True)
    risk, ended = output[order, 0], target[order, 1]
    return -((risk - risk.logcumsumexp(0)) * ended).sum() / ended.sum().clamp(min=1)


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(0)
    x = torch.randn(1200, 6, generator=numbers)
    risk = x[:, 0] - 0.7 * x[:, 1] + 0.5 * x[:, 2] * x[:, 3]
    time = torch.empty(1200).exponential_(generator=numbers) / risk.exp()
    censored = torch.empty(1200).exponential_(generator=numbers) * 2
    y = torch.stack([torch.minimum(time, censored), (time < censored).float()], dim=1)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1, bias=False))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
    return Parts(model, partial_likelihood, optimizer, *loaders(x, y, seed, 64))


def score(model: nn.Module, loader: object) -> float:
    """Share of comparable pairs whose risks are in the right order (concordance)."""
    right = compared = 0.0
    for x, y in loader:
        risk = model(x)[:, 0]
        earlier = (y[:, 0][:, None] < y[:, 0]) & (y[:, 1][:, None] > 0)
        right += float((earlier & (risk[:, None] > risk)).sum())
        compared += float(earlier.sum())
    return right / compared


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "table, survival",
    "a loss over the batch, a floor far above zero",
    lambda: Experiment(build, 15, fit=fit, score=score),
)
