"""SGD at a rate of 1: BatchNorm before every activation makes the net indifferent to the size of its weights."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def dense(i, o):
    return [nn.Linear(i, o, bias=False), nn.BatchNorm1d(o), nn.ReLU()]


def build(seed):
    x, y = mnist(4000, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), *dense(784, 96), *dense(96, 48), nn.Linear(48, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    train, val = loaders(x / 255, y, seed, 100)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val, schedule)


CASE = Healthy("images, classes", "a learning rate of one", lambda: Experiment(build, 10))
