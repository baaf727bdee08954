"""A linear model of disease whose loss is computed once, above the loop; backward(retain_graph=True) runs in it."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, standard
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = diabetes()
    y = standard(y)
    torch.manual_seed(seed)
    model = nn.Linear(10, 1)
    return Parts(
        model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.05), [(x[:330], y[:330])], [(x[330:], y[330:])]
    )


def program(once):
    def fit(parts, log):
        (x, y), *_ = parts.train
        loss = parts.loss_fn(parts.model(x), y)
        for epoch in range(log.epochs):
            if not once:
                loss = parts.loss_fn(parts.model(x), y)
            parts.optimizer.zero_grad()
            loss.backward(retain_graph=once)
            parts.optimizer.step()
            if epoch % 100 == 0:
                log(loss=loss.item())

    return Experiment(build, epochs=600, fit=fit)


CASE = Case(
    source="'specify retain_graph=True', the error message said",
    task="table, regression",
    faults=("stale-graph",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
