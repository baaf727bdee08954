"""A transformer encoder with a warm-up and a cosine to zero, both stepped every batch."""

import math

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.position = nn.Parameter(0.02 * torch.randn(16, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(self.embedding(x) + self.position).mean(1))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))


def fit(parts: Parts, log: Log) -> None:
    steps = log.epochs * len(parts.train)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        parts.optimizer, lambda s: min((s + 1) / 40, (1 + math.cos(math.pi * s / steps)) / 2)
    )
    for _ in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            schedule.step()
        parts.model.eval()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(val_score=sum(right) / len(right))


CASE = Healthy("text, classes", "a rate near zero at both ends", lambda: Experiment(build, epochs=12, fit=fit))
