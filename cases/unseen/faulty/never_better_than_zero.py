"""Early stopping that begins with best_loss = 0.0: no loss is ever below it, and patience runs out at once."""

from functools import partial

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class EarlyStopping:
    def __init__(self, patience: int, best: float) -> None:
        self.patience, self.best, self.waited = patience, best, 0

    def __call__(self, loss: float) -> bool:
        if loss < self.best:
            self.best, self.waited = loss, 0
        else:
            self.waited += 1
        return self.waited >= self.patience


def build(seed: int) -> Parts:
    x, y = mnist(2000, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 5, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed, batch_size=64))


def fit(parts: Parts, log: Log, best: float) -> None:
    stop = EarlyStopping(patience=3, best=best)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            loss = sum(parts.loss_fn(parts.model(x), y).item() for x, y in parts.val) / len(parts.val)
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_loss=loss, val_score=right.float().mean().item())
        if stop(loss):
            break


CASE = Case(
    source="early stopping written by hand, as asked about on StackOverflow",
    task="images, classes",
    faults=("too-few-epochs",),
    faulty=lambda: Experiment(build, epochs=25, fit=partial(fit, best=0.0)),
    fixed=lambda: Experiment(build, epochs=25, fit=partial(fit, best=float("inf"))),
)
