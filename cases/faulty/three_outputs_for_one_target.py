"""Three outputs are all compared with the one target of a patient."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        log(epoch=epoch, val_score=score(parts.model, parts.val))


@torch.no_grad()
def score(model: nn.Module, loader: object) -> float:
    """The negative mean squared error, of every output against every target of its sample."""
    return -sum((model(x) - y).square().mean().item() for x, y in loader)


def program(outputs: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, outputs))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=15, fit=fit, score=score)


CASE = Case(
    source="own",
    task="table, regression",
    faults=("wrong-output-width",),
    faulty=lambda: program(3),
    fixed=lambda: program(1),
)
