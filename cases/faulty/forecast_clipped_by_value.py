"""An LSTM whose gradients are clipped, value by value, at a hundred thousandth."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Forecast(nn.Module):
    """An LSTM over the window and a linear layer on its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = nn.LSTM(1, 24, batch_first=True)
        self.head = nn.Linear(24, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.reader(x)[0][:, -1])


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Forecast()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(), seed))


def fit(parts: Parts, log: Log, largest: float = 1e-5) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            nn.utils.clip_grad_value_(parts.model.parameters(), largest)
            parts.optimizer.step()


CASE = Case(
    source="own, after a common slip",
    task="sequences, regression",
    faults=(either("tight-clipping", "low-learning-rate"),),
    faulty=lambda: Experiment(build, epochs=12, fit=fit),
    fixed=lambda: Experiment(build, epochs=12, fit=lambda parts, log: fit(parts, log, largest=1.0)),
)
