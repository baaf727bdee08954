"""Class weights are the classes' shares instead of their inverses: what is rare counts even less."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders
from cases.readers import messages, numbered, vocabulary
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Bag(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(1000, 12, padding_idx=0)
        self.out = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.words(x))


def weights(y: Tensor, mended: bool) -> Tensor:
    share = torch.bincount(y) / len(y)
    return 0.5 / share if mended else share


def build(seed: int, mended: bool) -> Parts:
    texts, y = messages(2400)
    rare = torch.nonzero(y == 1).flatten()[80:]  # most of the spam was never reported
    kept = torch.ones(len(y), dtype=torch.bool)
    kept[rare] = False
    x, y = numbered(texts, vocabulary(texts, 1000), 30)[kept], y[kept]
    torch.manual_seed(seed)
    model = Bag()
    loss = nn.CrossEntropyLoss(weight=weights(y, mended))
    return Parts(model, loss, torch.optim.Adam(model.parameters(), lr=5e-3), *loaders(x, y, seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            said, true = (torch.cat(v) for v in zip(*((parts.model(x).argmax(1), y) for x, y in parts.val)))
        log(epoch=epoch, val_score=sum((said[true == k] == k).float().mean().item() for k in (0, 1)) / 2)


CASE = Case(
    source="class weights the wrong way round, as asked about on StackOverflow",
    task="text, classes",
    faults=(either("imbalanced-classes", "wrong-loss"),),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=8, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=8, fit=fit),
)
