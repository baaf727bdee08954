"""The losses of the validation are added up as tensors, gradients on."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, next_values
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Forecast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.memory, self.head = nn.GRU(1, 24, batch_first=True), nn.Linear(24, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.memory(x)[0][:, -1])


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Forecast()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(600), seed))


def fit(parts: Parts, log: Log, right: bool = False) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.set_grad_enabled(not right):
            losses = [parts.loss_fn(parts.model(x), y) for x, y in parts.val]
        log(epoch=epoch, val_loss=float(sum(losses)) / len(losses))


CASE = Case(
    source="own, after a common slip",
    task="sequences, regression",
    faults=("grad-enabled-inference",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, right=True)),
)
