"""A convolution net on digits; the loop steps and steps and never clears the gradients."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=30))


def fit(parts: Parts, log: Log, clear: bool = False) -> None:
    for _ in range(log.epochs):
        for images, labels in parts.train:
            loss = parts.loss_fn(parts.model(images), labels)
            if clear:
                parts.optimizer.zero_grad()
            loss.backward()
            parts.optimizer.step()


CASE = Case(
    source="stackoverflow.com/questions/60335387",
    task="images, classes",
    faults=("missing-zero-grad",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, clear=True)),
)
