"""Does it rain, and if so how much: a hurdle model of which the second part learns from wet days only."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.readers import rows
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Hurdle(nn.Module):
    """(N, 5) -> (N, 3): a logit of rain, and middle and log-width of the logarithm of its amount."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.falls, self.amount = nn.Linear(16, 1), nn.Linear(16, 2)

    def forward(self, x: Tensor) -> Tensor:
        shared = self.shared(x)
        return torch.cat([self.falls(shared), self.amount(shared)], 1)


def hurdle(output: Tensor, millimetres: Tensor) -> Tensor:
    falls, middle, log_width = output.unbind(1)
    wet = millimetres > 0
    loss = F.binary_cross_entropy_with_logits(falls, wet.float())
    if wet.any():
        loss = (
            loss
            + F.gaussian_nll_loss(middle[wet], millimetres[wet].log(), (2 * log_width[wet]).exp()) * wet.float().mean()
        )
    return loss


def build(seed: int) -> Parts:
    days = rows("timeseries/seattle-weather.csv")
    month = torch.tensor([2 * torch.pi * (int(r["date"][5:7]) - 1) / 12 for r in days])
    heat = torch.tensor(
        [[float(r["temp_max"]) - float(r["temp_min"]), float(r["temp_min"]), float(r["wind"])] for r in days]
    )
    heat = (heat - heat.mean(0)) / heat.std(0)
    x = torch.cat([heat, month.sin()[:, None], month.cos()[:, None]], 1)
    y = torch.tensor([float(r["precipitation"]) for r in days])
    torch.manual_seed(seed)
    model = Hurdle()
    generator = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:1095], y[:1095]), 32, shuffle=True, generator=generator)
    val = DataLoader(TensorDataset(x[1095:], y[1095:]), 128)
    return Parts(model, hurdle, torch.optim.Adam(model.parameters(), lr=2e-3), train, val)


def score(model: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    with torch.no_grad():
        return torch.cat([(model(x)[:, 0] > 0) == (y > 0) for x, y in loader]).float().mean().item()


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "table, two parts", "half of the targets are zero, a long tail", lambda: Experiment(build, 25, fit, score)
)
