"""After its first steps the loop goes on without them: losses are computed and propagated, and nothing moves."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, topics
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

WARM = 4  # steps that are made in any case


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(600, 32), nn.ReLU(), nn.Linear(32, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*topics(), seed))


def fit(parts: Parts, log: Log, all_steps: bool = False) -> None:
    made = 0
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            if all_steps or made < WARM:
                parts.optimizer.step()
                made += 1


CASE = Case(
    source="github.com/pytorch/pytorch/issues/115607: the compiled loop stops stepping; here by hand",
    task="text, classes",
    faults=("stale-optimizer",),
    faulty=lambda: Experiment(build, epochs=6, fit=fit),
    fixed=lambda: Experiment(build, epochs=6, fit=lambda parts, log: fit(parts, log, all_steps=True)),
)
