"""float16 by autocast over sensors of up to 60,000: the first layer overflows, and every step is left out."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, table
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def program(size: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = table(800, 20, 3)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(size * x, y, seed))

    return Experiment(build, epochs=12, fit=fit)


def fit(parts: Parts, log: Log) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = parts.loss_fn(parts.model(x), y)
            scaler.scale(loss).backward()
            scaler.step(parts.optimizer)
            scaler.update()


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=(either("precision-loss", "unscaled-inputs"),),
    faulty=lambda: program(size=1e5),
    fixed=lambda: program(size=1.0),
)
