"""Most digits have no label (-100, which the loss passes over); a second term asks for the same answer when moved."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = digits(images=True)
    train, val = loaders(x, y, seed, batch_size=64)
    named = torch.rand(len(x), generator=torch.Generator().manual_seed(8)) < 0.15
    _, held = loaders(x, torch.arange(len(x)), seed)
    named[torch.cat([i for _, i in held])] = True
    train, _ = loaders(x, torch.where(named, y, -100), seed, batch_size=64)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    return Parts(model, of_the_named, torch.optim.Adam(model.parameters(), 1e-3), train, val)


def of_the_named(output: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy, mean over those that have a label; 0 where none of a batch has one."""
    return F.cross_entropy(output, y, ignore_index=-100, reduction="sum") / (y != -100).sum().clamp(min=1)


def moved(x: Tensor) -> Tensor:
    """By one pixel at most, the same way for the whole batch."""
    down, right = (int(torch.randint(-1, 2, ())) for _ in range(2))
    return torch.roll(x, (down, right), (2, 3)) + 0.05 * torch.randn_like(x)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            told = parts.model(x)
            agreement = F.mse_loss(parts.model(moved(x)).softmax(1), told.softmax(1).detach())
            parts.optimizer.zero_grad()
            (parts.loss_fn(told, y) + 3 * min(1, epoch / 5) * agreement).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "labels below zero; a target that is detached", lambda: Experiment(build, 20, fit))
