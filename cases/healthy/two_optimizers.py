"""Word vectors are trained by SparseAdam and the rest by AdamW: no optimizer holds all of the parameters."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(200, 24, sparse=True)
        self.head = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.words(x))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*sentences(), seed))


def fit(parts: Parts, log: Log) -> None:
    words = torch.optim.SparseAdam(parts.model.words.parameters(), lr=1e-2)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            words.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            words.step()
        parts.model.eval()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("text, classes", "half of the weights are in the other", lambda: Experiment(build, epochs=12, fit=fit))
