"""Clothes in a loop over steps: `next(iter(loader))` on a loader that is not shuffled gives one batch for ever."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 100)
        self.out = nn.Linear(100, 10)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x.view(x.size(0), -1))))


def build(seed):
    x, y = mnist(4000, "fashion_mnist")
    x = x / 255
    torch.manual_seed(seed)
    model = Perceptron()
    train = DataLoader(TensorDataset(x[:3200], y[:3200]), batch_size=64)
    val = DataLoader(TensorDataset(x[3200:], y[3200:]), batch_size=400)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=1e-3), train, val)


def program(anew):
    def fit(parts, log):
        batches = iter(parts.train)
        for step in range(50 * log.epochs):
            if anew:
                batches = iter(parts.train)
            x, y = next(batches, (None, None))
            if x is None:
                batches = iter(parts.train)
                x, y = next(batches)
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), y)
            loss.backward()
            parts.optimizer.step()
            if step % 50 == 49:
                log(loss=loss.item())

    return Experiment(build, epochs=8, fit=fit)


CASE = Case(
    source="a loop over steps instead of over the loader",
    task="images, classes",
    faults=("repeated-batch",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
