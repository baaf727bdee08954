"""A bag of word vectors with sparse gradients: most rows stand still in every step."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(200, 32, sparse=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.words(x))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Bag()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("text, classes", "sparse gradients and a rate of 1", lambda: Experiment(build, epochs=40, fit=fit))
