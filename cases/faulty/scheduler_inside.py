"""ExponentialLR(0.9) meant for epochs is stepped after every batch of the loop."""

import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = mnist(4000, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train, val = loaders((x - x.mean()) / x.std(), y, seed, batch_size=32)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val, ExponentialLR(optimizer, gamma=0.9))


def program(every_batch):
    def fit(parts, log):
        for _ in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                loss = parts.loss_fn(parts.model(x), y)
                loss.backward()
                parts.optimizer.step()
                if every_batch:
                    parts.scheduler.step()
            if not every_batch:
                parts.scheduler.step()
            log(loss=loss.item(), lr=parts.optimizer.param_groups[0]["lr"])

    return Experiment(build, epochs=8, fit=fit)


CASE = Case(
    source="one level of indentation",
    task="images, classes",
    faults=("misused-scheduler",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
