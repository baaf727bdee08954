"""Gradients of four batches are gathered for one step; they are cleared at the start of an epoch, not after a step."""

from functools import partial

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

GATHERED = 4


def build(seed: int) -> Parts:
    x, y = mnist(2000, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 5, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed, batch_size=16))


def fit(parts: Parts, log: Log, mended: bool) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        parts.optimizer.zero_grad()
        for i, (x, y) in enumerate(parts.train):
            loss = parts.loss_fn(parts.model(x), y) / GATHERED
            loss.backward()
            if (i + 1) % GATHERED == 0:
                parts.optimizer.step()
                if mended:
                    parts.optimizer.zero_grad()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Case(
    source="gradient accumulation, as asked about on the PyTorch forum",
    task="images, classes",
    faults=("missing-zero-grad",),
    faulty=lambda: Experiment(build, epochs=8, fit=partial(fit, mended=False)),
    fixed=lambda: Experiment(build, epochs=8, fit=partial(fit, mended=True)),
)
