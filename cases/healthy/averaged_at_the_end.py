"""Stochastic weight averaging: in the last third the rate stays high and the weights of all epochs are averaged."""

import torch
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, 64))


def fit(parts: Parts, log: Log) -> None:
    average, flat = AveragedModel(parts.model), SWALR(parts.optimizer, swa_lr=0.03, anneal_epochs=2)
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        if epoch >= 2 * log.epochs // 3:
            average.update_parameters(parts.model)
            flat.step()
    update_bn(parts.train, average)
    average.eval()
    with torch.no_grad():
        right = [(average(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
    log(val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "a rate that rises at the end", lambda: Experiment(build, epochs=12, fit=fit))
