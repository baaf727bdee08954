"""Two losses, one optimizer, and zero_grad right before step "to be on the safe side"."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size=64))


def fit(parts: Parts, log: Log, late: bool = True) -> None:
    model, optimizer = parts.model, parts.optimizer
    for epoch in range(log.epochs):
        model.train()
        for x, y in parts.train:
            if not late:
                optimizer.zero_grad()
            output = model(x)
            loss = parts.loss_fn(output, y) + 1e-4 * output.square().mean()
            loss.backward()
            if late:
                optimizer.zero_grad(set_to_none=False)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            right = [(model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Case(
    source="discuss.pytorch.org/t/87348",
    task="images, classes",
    faults=("misplaced-zero-grad",),
    faulty=lambda: Experiment(build, epochs=8, fit=fit),
    fixed=lambda: Experiment(build, epochs=8, fit=lambda parts, log: fit(parts, log, late=False)),
)
