"""LBFGS on the whole data: many evaluations and few steps, each from a closure."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import diabetes, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = diabetes()
    y = standard(y)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(10, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4)
    return Parts(model, nn.MSELoss(), optimizer, [(x[:300], y[:300])], [(x[300:], y[300:])])


def fit(parts: Parts, log: Log) -> None:
    for _ in range(log.epochs):
        for x, y in parts.train:

            def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
                parts.optimizer.zero_grad()
                loss = parts.loss_fn(parts.model(x), y)
                loss.backward()
                return loss

            parts.optimizer.step(closure)


CASE = Healthy("table, regression", "several backward passes a step", lambda: Experiment(build, epochs=12, fit=fit))
