"""Backward, zero_grad, step: the optimizer never sees a gradient. And (N, 1) is compared with (N,)."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def program(mended: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        y = standard(y) if mended else standard(y)[:, 0]
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Dropout(0.1), nn.Linear(10, 128), nn.PReLU(), nn.Dropout(0.5), nn.Linear(128, 1))
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
        return Parts(model, nn.L1Loss(), optimizer, *loaders(x, y, seed))

    def fit(parts: Parts, log: Log) -> None:
        for _ in range(log.epochs):
            parts.model.train()
            for x, y in parts.train:
                if mended:
                    parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                if not mended:
                    parts.optimizer.zero_grad()
                parts.optimizer.step()

    return Experiment(build, epochs=25, fit=fit)


CASE = Case(
    source="discuss.pytorch.org/t/102879",
    task="table, regression",
    faults=("misplaced-zero-grad", "broadcast-loss"),
    faulty=lambda: program(mended=False),
    fixed=lambda: program(mended=True),
)
