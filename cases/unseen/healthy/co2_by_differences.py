"""A year of CO2 ahead, month by month: what is learnt is the change, partly from its own answers."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.readers import series
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Decoder(nn.Module):
    """(N, 24) past changes -> (N, 12) changes to come."""

    def __init__(self) -> None:
        super().__init__()
        self.past, self.cell, self.out = nn.GRU(1, 32, batch_first=True), nn.GRUCell(1, 32), nn.Linear(32, 1)
        self.trust = 0.5

    def forward(self, past: Tensor, told: Tensor | None = None) -> Tensor:
        _, state = self.past(past[..., None])
        h, last, said = state[0], past[:, -1:], []
        for month in range(12):
            h = self.cell(last, h)
            last = self.out(h)
            said.append(last)
            if told is not None and torch.rand(()) < self.trust:
                last = told[:, month : month + 1]
        return torch.cat(said, 1)


def build(seed: int) -> Parts:
    parts_per_million = series("co2-concentration", "CO2")
    change = parts_per_million.diff()
    change = (change - change.mean()) / change.std()
    x, y = change.unfold(0, 36, 1)[:, :24], change.unfold(0, 36, 1)[:, 24:]
    cut = 520
    torch.manual_seed(seed)
    model = Decoder()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:cut], y[:cut]), 26, shuffle=True, generator=shuffling)
    return Parts(
        model, nn.HuberLoss(), torch.optim.Adam(model.parameters(), 3e-3), train, [(x[cut + 36 :], y[cut + 36 :])]
    )


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        parts.model.trust = max(0.0, 0.7 * (1 - 1.5 * epoch / log.epochs))
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x, y), y).backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), 1.0)
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            ((x, y),) = parts.val
            log(epoch=epoch, val_score=1 - ((parts.model(x) - y).square().mean() / y.var()).item())


CASE = Healthy("time series, sequences", "its task gets harder as it learns", lambda: Experiment(build, 20, fit=fit))
