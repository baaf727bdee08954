"""Mixed pictures and mixed labels: the training loss cannot reach zero."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 10),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            share = float(torch.distributions.Beta(0.4, 0.4).sample())
            other = torch.randperm(len(x))
            output = parts.model(share * x + (1 - share) * x[other])
            loss = share * parts.loss_fn(output, y) + (1 - share) * parts.loss_fn(output, y[other])
            parts.optimizer.zero_grad()
            loss.backward()
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "a noisy loss that stays high", lambda: Experiment(build, epochs=20, fit=fit))
