"""A small student learns from a teacher's soft answers and from the labels."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def teacher(x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model.eval()


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


def fit(parts: Parts, log: Log) -> None:
    wise = teacher(*digits())
    for epoch in range(log.epochs):
        for x, y in parts.train:
            output = parts.model(x)
            with torch.no_grad():
                soft = F.softmax(wise(x) / 2, dim=1)
            hint = F.kl_div(F.log_softmax(output / 2, dim=1), soft, reduction="batchmean") * 4
            parts.optimizer.zero_grad()
            (0.5 * hint + 0.5 * parts.loss_fn(output, y)).backward()
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy(
    "images, classes", "what is minimised is not the loss module", lambda: Experiment(build, epochs=20, fit=fit)
)
