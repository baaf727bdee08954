"""A helper switches to eval mode for every prediction, in training too."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(20, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 2),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(400), seed))


def predict(model: nn.Module, x: torch.Tensor, training: bool) -> torch.Tensor:
    model.train(training)
    output = model(x)
    model.train()
    return output


def fit(parts: Parts, log: Log, training: bool = False) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            loss = parts.loss_fn(predict(parts.model, x, training), y)
            parts.optimizer.zero_grad()
            loss.backward()
            parts.optimizer.step()


CASE = Case(
    source="discuss.pytorch.org/t/83007",
    task="table, binary",
    faults=("eval-mode-training",),
    faulty=lambda: Experiment(build, epochs=15, fit=fit),
    fixed=lambda: Experiment(build, epochs=15, fit=lambda parts, log: fit(parts, log, training=True)),
)
