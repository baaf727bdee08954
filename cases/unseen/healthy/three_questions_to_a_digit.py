"""Is it even, is it prime, is it a seven: three answers of unlike frequency, the rare one weighing more."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

EVEN, PRIME, SEVEN = ({0, 2, 4, 6, 8}, {2, 3, 5, 7}, {7})


def build(seed: int) -> Parts:
    x, y = digits(images=True)
    answers = torch.tensor([[float(int(k) in s) for s in (EVEN, PRIME, SEVEN)] for k in y])
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(512, 3),
    )  # fmt: skip
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 1.5, 6.0]))
    return Parts(model, loss, torch.optim.Adam(model.parameters(), lr=1e-3), *loaders(x, answers, seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([((parts.model(x) > 0) == (y > 0)).all(1) for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, several labels", "one label in ten is a yes", lambda: Experiment(build, epochs=32, fit=fit))
