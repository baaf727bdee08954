"""A mixture density net (Bishop 1994): tomorrow's lowest temperature as three bells, a loss that falls below zero."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.readers import rows
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

PAST = 10


class Mixture(nn.Module):
    """(N, 10) -> (N, 3, 3): logits, middles and logarithms of the widths of three bells."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(PAST, 32), nn.Tanh(), nn.Linear(32, 9))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).reshape(-1, 3, 3)


def surprise(output: Tensor, y: Tensor) -> Tensor:
    logits, middle, log_width = output.unbind(1)
    each = torch.distributions.Normal(middle, log_width.clamp(-4, 3).exp()).log_prob(y)
    return -torch.logsumexp(logits.log_softmax(1) + each, 1).mean()


def windows() -> tuple[Tensor, Tensor]:
    days = torch.tensor([float(r["Temp"]) for r in rows("timeseries/daily-min-temperatures.csv")])
    days = (days - days[:2700].mean()) / 12
    return days.unfold(0, PAST, 1)[:-1], days[PAST:, None]


def build(seed: int) -> Parts:
    x, y = windows()
    torch.manual_seed(seed)
    model = Mixture()
    shuffling = torch.Generator().manual_seed(seed)
    past = torch.utils.data.TensorDataset(x[:2700], y[:2700])
    train = torch.utils.data.DataLoader(past, 64, shuffle=True, generator=shuffling)
    return Parts(model, surprise, torch.optim.Adam(model.parameters(), 3e-3), train, [(x[2710:], y[2710:])])


def score(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    with torch.no_grad():
        x, y = (torch.cat(v) for v in zip(*loader))
        logits, middle, _ = model(x).unbind(1)
        mean = (logits.softmax(1) * middle).sum(1, keepdim=True)
        return 1 - ((mean - y).var() / y.var()).item()


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        total = 0.0
        for x, y in parts.train:
            loss = parts.loss_fn(parts.model(x), y)
            parts.optimizer.zero_grad()
            loss.backward()
            parts.optimizer.step()
            total += loss.item() / len(parts.train)
        log(epoch=epoch, train_loss=total, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "time series, density", "a loss below zero; no more can be known", lambda: Experiment(build, 25, fit, score)
)
