"""A recurrent forecast trained one window at a time, without clearing the gradients."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.output = nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.lstm(x)[0][:, -1])


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Forecast()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(400), seed, batch_size=4))


def fit(parts: Parts, log: Log, clear: bool = False) -> None:
    for epoch in range(log.epochs):
        total = 0.0
        for window, target in parts.train:
            if clear:
                parts.model.zero_grad()
            loss = parts.loss_fn(parts.model(window), target)
            loss.backward()
            parts.optimizer.step()
            total += loss.item()
        log(epoch=epoch, train_loss=total / len(parts.train))


CASE = Case(
    source="discuss.pytorch.org/t/42224",
    task="sequences, regression",
    faults=("missing-zero-grad",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, clear=True)),
)
