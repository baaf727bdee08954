"""An LSTM over long windows whose gradient is clipped in many steps."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Listener(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.head = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(x)[0][:, -1])


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Listener()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*waves(), seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), 0.5)
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("sequences, classes", "clipping and saturated gates", lambda: Experiment(build, epochs=20, fit=fit))
