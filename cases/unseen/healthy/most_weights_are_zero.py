"""A sparse logistic regression by proximal steps (ISTA): after each step what is small is set to zero, exactly."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders
from cases.readers import messages, vocabulary
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    texts, y = messages(2400)
    known = vocabulary(texts, 600)
    x = torch.zeros(len(texts), 600)
    for row, text in zip(x, texts):
        row[[known.get(word, 1) for word in text]] = 1.0
    torch.manual_seed(seed)
    model = nn.Linear(600, 1)
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y.float()[:, None], seed, batch_size=64))


def fit(parts: Parts, log: Log, penalty: float = 3e-4) -> None:
    for epoch in range(log.epochs):
        rate = 0.5 / (1 + epoch / 10)
        parts.optimizer.param_groups[0]["lr"] = rate
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
            with torch.no_grad():
                w = parts.model.weight
                w.copy_(w.sign() * (w.abs() - rate * penalty).clamp(min=0))
        with torch.no_grad():
            right = torch.cat([(parts.model(x) > 0) == (y > 0.5) for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("text, classes", "weights that are zero and stay so", lambda: Experiment(build, epochs=40, fit=fit))
