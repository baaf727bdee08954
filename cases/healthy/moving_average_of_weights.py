"""Validation by an exponential moving average of the weights; its copy is no part of the model."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


def fit(parts: Parts, log: Log) -> None:
    average = AveragedModel(parts.model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            average.update_parameters(parts.model)
        with torch.no_grad():
            right = [(average(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "two copies of the weights", lambda: Experiment(build, epochs=15, fit=fit))
