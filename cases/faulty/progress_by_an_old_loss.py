"""A linear model of a table; retain_graph=True silenced the error that asked for a new forward pass."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, everything, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = diabetes()
    torch.manual_seed(seed)
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    return Parts(model, nn.MSELoss(), optimizer, everything(x, standard(y), seed, batch_size=442))


def fit(parts: Parts, log: Log, right: bool = False) -> None:
    x, y = next(iter(parts.train))
    scores = parts.model(x)
    for epoch in range(log.epochs):
        if right:
            scores = parts.model(x)
        loss = parts.loss_fn(scores, y)
        parts.optimizer.zero_grad()
        loss.backward(retain_graph=not right)
        parts.optimizer.step()
        log(epoch=epoch, train_loss=loss.item())


CASE = Case(
    source="own, after discuss.pytorch.org/t/38511",
    task="table, regression",
    faults=("stale-graph",),
    faulty=lambda: Experiment(build, epochs=200, fit=fit),
    fixed=lambda: Experiment(build, epochs=200, fit=lambda parts, log: fit(parts, log, right=True)),
)
