"""One output is compared with both coordinates of a spot."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, spots
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
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 64), nn.ReLU(), nn.Linear(64, outputs)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*spots(), seed))

    return Experiment(build, epochs=8, fit=fit, score=score)


CASE = Case(
    source="own",
    task="images, regression",
    faults=("wrong-output-width",),
    faulty=lambda: program(1),
    fixed=lambda: program(2),
)
