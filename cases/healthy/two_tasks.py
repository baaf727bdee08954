"""One body, two heads: which digit it is, and how much ink it took; two losses, added up."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import digits
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.digit, self.ink = nn.Linear(32, 10), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(x)
        return self.digit(features), self.ink(features)


def both(output: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> Tensor:
    return nn.functional.cross_entropy(output[0], target[0]) + 0.5 * nn.functional.mse_loss(output[1], target[1])


def collate(samples: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    x, digit, ink = (torch.stack(column) for column in zip(*samples))
    return x, (digit, ink)


def build(seed: int) -> Parts:
    x, y = digits()
    ink = x.mean(1, keepdim=True)
    data = TensorDataset(x, y, (ink - ink.mean()) / ink.std())
    torch.manual_seed(seed)
    model = TwoHeads()
    train, val = torch.utils.data.random_split(data, [1400, 397], torch.Generator().manual_seed(0))
    shuffling = torch.Generator().manual_seed(seed)
    return Parts(
        model,
        both,
        torch.optim.Adam(model.parameters(), lr=2e-3),
        DataLoader(train, 32, shuffle=True, generator=shuffling, collate_fn=collate),
        DataLoader(val, 128, collate_fn=collate),
    )


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        log(epoch=epoch, val_score=score(parts.model, parts.val))


def score(model: nn.Module, loader: object) -> float:
    with torch.no_grad():
        right = [(model(x)[0].argmax(1) == y[0]).float().mean().item() for x, y in loader]
    return sum(right) / len(right)


CASE = Healthy(
    "images, classes and regression", "two outputs, two targets", lambda: Experiment(build, 15, fit=fit, score=score)
)
