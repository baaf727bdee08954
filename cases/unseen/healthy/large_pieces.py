"""Batches of 500 with a rate to match, warmed up over the first epochs."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = mnist(4000)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4, momentum=0.9)
    train, val = loaders(x / 255, y, seed, 500)
    warming = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, (epoch + 1) / 4))
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val, warming)


CASE = Healthy("images, classes", "few and large steps, a rate that grows", lambda: Experiment(build, 20))
