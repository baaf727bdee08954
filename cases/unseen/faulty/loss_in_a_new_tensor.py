"""Penguins: the losses of a batch are gathered as numbers and put into a new tensor before backward."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, penguins, standard
from torchdoctor import Experiment, Parts


def clean():
    x, y = penguins()
    whole = ~x.isnan().any(1)
    return standard(x[whole]), y[whole]


def build(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))
    return Parts(
        model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=5e-3), *loaders(*clean(), seed, 16)
    )


def program(wrong):
    def compute_loss(parts, x, y):
        each = [parts.loss_fn(parts.model(a[None]), b[None]) for a, b in zip(x, y)]
        if wrong:
            return torch.tensor([e.item() for e in each], requires_grad=True).mean()
        return torch.stack(each).mean()

    def fit(parts, log):
        for _ in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                compute_loss(parts, x, y).backward()
                parts.optimizer.step()

    return Experiment(build, epochs=20, fit=fit)


CASE = Case(
    source="'element 0 of tensors does not require grad', silenced by requires_grad=True",
    task="table, classes",
    faults=("detached-graph",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
