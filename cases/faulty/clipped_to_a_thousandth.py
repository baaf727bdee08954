"""clip_grad_norm_(..., 1e-3) in front of plain SGD."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


def fit(parts: Parts, log: Log, longest: float = 1e-3) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), longest)
            parts.optimizer.step()


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=(either("tight-clipping", "low-learning-rate"),),
    faulty=lambda: Experiment(build, epochs=15, fit=fit),
    fixed=lambda: Experiment(build, epochs=15, fit=lambda parts, log: fit(parts, log, longest=5.0)),
)
