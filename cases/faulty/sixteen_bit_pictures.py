"""float16 by autocast over pictures as a scanner stores them, sixteen bits a pixel."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def program(largest: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = digits(images=True)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(largest * x, y, seed))

    return Experiment(build, epochs=8, fit=fit)


def fit(parts: Parts, log: Log) -> None:
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = parts.loss_fn(parts.model(x), y)
            scaler.scale(loss).backward()
            scaler.step(parts.optimizer)
            scaler.update()


CASE = Case(
    source="own, after a common slip",
    task="images, classes",
    faults=(either("precision-loss", "unscaled-inputs"),),
    faulty=lambda: program(largest=65535.0),
    fixed=lambda: program(largest=1.0),
)
