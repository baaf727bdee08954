"""Scores are wrapped in a new tensor with requires_grad=True "because backward complained"."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Linker(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 16)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.head = nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.gru(self.embedding(x))[0].mean(1))


def build(seed: int) -> Parts:
    x, y = sentences(600, classes=2)
    torch.manual_seed(seed)
    model = Linker()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y.float()[:, None], seed))


def fit(parts: Parts, log: Log, rewrap: bool = True) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            scores = parts.model(x)
            if rewrap:
                scores = torch.tensor(scores.tolist(), requires_grad=True)
            parts.loss_fn(scores, y).backward()
            parts.optimizer.step()


CASE = Case(
    source="discuss.pytorch.org/t/112135",
    task="text, binary",
    faults=("detached-graph",),
    faulty=lambda: Experiment(build, epochs=10, fit=fit),
    fixed=lambda: Experiment(build, epochs=10, fit=lambda parts, log: fit(parts, log, rewrap=False)),
)
