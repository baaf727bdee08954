"""The validation forgets no_grad: each of its passes keeps a graph that nobody asks for."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(144, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))


def fit(parts: Parts, log: Log, right: bool = False) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.set_grad_enabled(not right):
            hits = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        parts.model.train()
        log(epoch=epoch, val_score=sum(hits) / len(hits))


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("grad-enabled-inference",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, right=True)),
)
