"""Two pictures a batch, as on a small card: group normalisation does not mind, and four batches make one step."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.GroupNorm(4, 32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=2))


def fit(parts: Parts, log: Log, gathered: int = 4) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        parts.optimizer.zero_grad()
        for i, (x, y) in enumerate(parts.train, 1):
            (parts.loss_fn(parts.model(x), y) / gathered).backward()
            if i % gathered == 0 or i == len(parts.train):
                parts.optimizer.step()
                parts.optimizer.zero_grad()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "two samples a batch, no step on most", lambda: Experiment(build, epochs=6, fit=fit))
