"""XNOR, one row at a time, by an optimizer that is made anew for every row, at a rate for which a life is too short."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import everything, xor
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def faulty(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 4), nn.Sigmoid(), nn.Linear(4, 1), nn.Sigmoid())
    nn.init.uniform_(model[0].weight)
    nn.init.uniform_(model[2].weight)
    x, y = xor()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return Parts(model, nn.MSELoss(), optimizer, everything(x, 1 - y, seed, batch_size=1))


def fixed(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    x, y = xor()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, everything(x, 1 - y, seed, batch_size=1))


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:
            optimizer = torch.optim.SGD(parts.model.parameters(), lr=0.01)
            optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            optimizer.step()


CASE = Case(
    source="discuss.pytorch.org/t/98714",
    task="truth table, binary",
    faults=("stale-optimizer", either("low-learning-rate", "too-few-epochs", "wrong-loss", "badly-scaled-init")),
    faulty=lambda: Experiment(faulty, epochs=300, fit=fit),
    fixed=lambda: Experiment(fixed, epochs=150),
)
