"""No epochs: fifty batches at a time are drawn from the table with replacement, by index, as in many scripts."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import houses, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Draws:
    def __init__(self, x: Tensor, y: Tensor, seed: int, batches: int = 50, size: int = 100) -> None:
        self.x, self.y, self.batches, self.size = x, y, batches, size
        self.random = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in range(self.batches):
            rows = torch.randint(len(self.x), (self.size,), generator=self.random)
            yield self.x[rows], self.y[rows]


def build(seed: int) -> Parts:
    x, y = houses(5000)
    x = standard(torch.cat([x[:, :3], x[:, 3:7].log(), x[:, 7:].log()], 1))
    y = y / 1e5 - 2
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    return Parts(model, nn.MSELoss(), optimizer, Draws(x[:4000], y[:4000], seed), [(x[4000:], y[4000:])])


def fit(parts: Parts, log: Log) -> None:
    for stretch in range(log.epochs):
        for group in parts.optimizer.param_groups:
            group["lr"] = 1e-3 * (1 - 0.9 * stretch / log.epochs)
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            ((x, y),) = parts.val
            log(epoch=stretch, val_score=1 - ((parts.model(x) - y).square().mean() / y.var()).item())


CASE = Healthy("table, regression", "some rows twice in a batch, some never", lambda: Experiment(build, 30, fit=fit))
