"""total = total + loss, for the epoch's mean: every loss keeps its graph, and with it all its activations."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 40, 3, padding=1), nn.ReLU(), nn.Conv2d(40, 40, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(640, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=32))


def fit(parts: Parts, log: Log, keep: bool = True) -> None:
    total, steps = torch.zeros(()), 0
    for _ in range(log.epochs):
        for x, y in parts.train:
            loss = parts.loss_fn(parts.model(x), y)
            parts.optimizer.zero_grad()
            loss.backward(retain_graph=keep)
            parts.optimizer.step()
            total, steps = total + (loss if keep else loss.item()), steps + 1
        log(train_loss=float(total) / steps)


CASE = Case(
    source="own, after the PyTorch documentation's frequently asked questions",
    task="images, classes",
    faults=("growing-memory",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, keep=False)),
)
