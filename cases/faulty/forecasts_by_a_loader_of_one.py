"""A forecast is judged by a loader whose batches hold one window each, the loader's default."""

import torch
from torch import nn
from torch.utils.data import DataLoader

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
    return Parts(model, nn.MSELoss(), optimizer, *loaders(*next_values(800), seed))


def fit(parts: Parts, log: Log, batch_size: int = 1) -> None:
    judged_by = DataLoader(parts.val.dataset, batch_size=batch_size)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.inference_mode():
            total = sum(float(parts.loss_fn(parts.model(x), y)) * len(x) for x, y in judged_by)
        log(epoch=epoch, val_loss=total / len(parts.val.dataset))


CASE = Case(
    source="own, after a common slip",
    task="sequences, regression",
    faults=("unbatched-inference",),
    faulty=lambda: Experiment(build, epochs=10, fit=fit),
    fixed=lambda: Experiment(build, epochs=10, fit=lambda parts, log: fit(parts, log, batch_size=200)),
)
