"""Housing prices with a Trainer class whose step clears the gradients just before the optimizer reads them."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Trainer:
    def __init__(self, parts, tidy_late):
        self.model, self.optimizer, self.criterion = parts.model, parts.optimizer, parts.loss_fn
        self.tidy_late = tidy_late

    def training_step(self, batch):
        features, price = batch
        if self.tidy_late:
            self.optimizer.zero_grad()
        loss = self.criterion(self.model(features), price)
        loss.backward()
        if not self.tidy_late:
            self.optimizer.zero_grad()
        self.optimizer.step()
        return loss.detach()

    def run(self, loader, epochs, log):
        for _ in range(epochs):
            losses = [self.training_step(batch) for batch in loader]
            log(loss=float(torch.stack(losses).mean()))


def build(seed):
    features, price = houses(3000)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.SmoothL1Loss(), optimizer, *loaders(standard(features), price / 100_000, seed))


def program(wrong):
    def fit(parts, log):
        Trainer(parts, tidy_late=not wrong).run(parts.train, log.epochs, log)

    return Experiment(build, epochs=15, fit=fit)


CASE = Case(
    source="a Trainer class copied and moved about",
    task="table, regression",
    faults=("misplaced-zero-grad",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
