"""model.train() stands at the top of the function that validates too, so that normalisation goes by each batch."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.BatchNorm2d(24), nn.ReLU(),
        nn.Flatten(), nn.Linear(384, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))


def mean_loss(parts: Parts, learning: bool, mode: bool) -> float:
    parts.model.train(mode)
    losses = []
    with torch.set_grad_enabled(learning):
        for x, y in parts.train if learning else parts.val:
            loss = parts.loss_fn(parts.model(x), y)
            losses.append(loss.item())
            if learning:
                parts.optimizer.zero_grad()
                loss.backward()
                parts.optimizer.step()
    return sum(losses) / len(losses)


def fit(parts: Parts, log: Log, right: bool = False) -> None:
    for epoch in range(log.epochs):
        mean_loss(parts, learning=True, mode=True)
        log(epoch=epoch, val_loss=mean_loss(parts, learning=False, mode=not right))


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=("train-mode-evaluation",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, right=True)),
)
