"""model.eval() stands above the loop: BatchNorm never sees a batch and divides by its initial ones."""

import torch
from torch import nn

from cases.case import Case
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


def conv(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


def build(seed):
    x, y = cifar(2000)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.AvgPool2d(2), conv(3, 12), nn.MaxPool2d(2), conv(12, 16), conv(16, 16), nn.MaxPool2d(2), conv(16, 24),
        conv(24, 24), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255 - 0.47, y, seed, batch_size=50))


def program(asleep):
    def fit(parts, log):
        model = parts.model
        for _ in range(log.epochs):
            if asleep:
                model.eval()
            else:
                model.train()
            for x, y in parts.train:
                loss = parts.loss_fn(model(x), y)
                parts.optimizer.zero_grad()
                loss.backward()
                parts.optimizer.step()

    return Experiment(build, epochs=6, fit=fit)


CASE = Case(
    source="eval() that came with the lines of an inference script",
    task="images, classes",
    faults=("eval-mode-training",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
