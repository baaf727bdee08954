"""A net for clothes with much dropout is scored by a function that never calls eval()."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = mnist(3000, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.7), nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.7),
        nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))


def program(forgotten):
    def evaluate(model, loader):
        if forgotten:
            model.train()
        else:
            model.eval()
        correct = total = 0
        with torch.no_grad():
            for x, y in loader:
                correct += (model(x).argmax(1) == y).sum().item()
                total += len(y)
        return correct / total

    def fit(parts, log):
        for _ in range(log.epochs):
            parts.model.train()
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                parts.optimizer.step()
            log(val_score=evaluate(parts.model, parts.val))

    return Experiment(build, epochs=8, fit=fit, score=evaluate)


CASE = Case(
    source="an evaluation loop that was copied from the training loop",
    task="images, classes",
    faults=("train-mode-evaluation",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
