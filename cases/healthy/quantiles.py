"""Three quantiles of one target by the pinball loss: outputs (N, 3) against targets (N, 1), on purpose."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def pinball(output: Tensor, target: Tensor) -> Tensor:
    error = target - output
    return torch.maximum(LEVELS * error, (LEVELS - 1) * error).mean()


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(7)
    x = torch.rand(1500, 1, generator=numbers) * 4 - 2
    y = torch.sin(2 * x) + (0.1 + 0.2 * x.abs()) * torch.randn(1500, 1, generator=numbers)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, pinball, optimizer, *loaders(x, y, seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            losses = [parts.loss_fn(parts.model(x), y).item() for x, y in parts.val]
        log(epoch=epoch, val_loss=sum(losses) / len(losses))


def score(model: nn.Module, loader: object) -> float:
    return -sum(pinball(model(x), y).item() for x, y in loader)


CASE = Healthy(
    "one number, quantiles", "shapes that broadcast as meant", lambda: Experiment(build, 25, fit=fit, score=score)
)
