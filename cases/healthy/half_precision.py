"""The forward pass in bfloat16."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(64, 128), nn.GELU(), nn.LayerNorm(128), nn.Linear(128, 64), nn.GELU(), nn.Linear(64, 10)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = parts.loss_fn(parts.model(x), y)
            loss.backward()
            parts.optimizer.step()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, classes", "coarse numbers", lambda: Experiment(build, epochs=12, fit=fit))
