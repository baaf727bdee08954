"""The rate falls when validation does not improve; then training ends, and the best weights return."""

import copy

import torch
from torch import nn

from cases.case import Healthy
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = diabetes()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed), scheduler=plateau)


def fit(parts: Parts, log: Log) -> None:
    best, weights, since = float("inf"), parts.model.state_dict(), 0
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            losses = [parts.loss_fn(parts.model(x), y).item() for x, y in parts.val]
        val_loss = sum(losses) / len(losses)
        parts.scheduler.step(val_loss)
        log(epoch=epoch, val_loss=val_loss)
        since += 1
        if val_loss < best:
            best, weights, since = val_loss, copy.deepcopy(parts.model.state_dict()), 0
        if since >= 10:
            break
    parts.model.load_state_dict(weights)


CASE = Healthy("table, regression", "an end before the last epoch", lambda: Experiment(build, epochs=60, fit=fit))
