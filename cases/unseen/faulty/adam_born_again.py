"""The optimizer is made inside the training step: Adam forgets its averages before every batch."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed):
    features, price = houses(2500)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(standard(features), standard(price), seed, batch_size=16))


def program(inside):
    def train_on_batch(model, criterion, optimizer, x, y):
        if inside:
            optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def fit(parts, log):
        for _ in range(log.epochs):
            total = sum(train_on_batch(parts.model, parts.loss_fn, parts.optimizer, x, y) for x, y in parts.train)
            log(loss=total / len(parts.train))

    return Experiment(build, epochs=10, fit=fit)


CASE = Case(
    source="a function that was to hold everything a step needs",
    task="table, regression",
    faults=("stale-optimizer",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
