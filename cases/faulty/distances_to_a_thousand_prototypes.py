"""Distances to a thousand prototypes by broadcasting, in batches of 128, where 80 MB are free."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cases.case import Case
from cases.data import Absent, digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

STATM = Path("/proc/self/statm")
FREE = 80_000_000  # bytes


class Prototypes(nn.Module):
    """Classes by how near a sample lies to each prototype; (N, prototypes, features) numbers on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.rand(1000, 64))
        self.head = nn.Linear(1000, 10)

    def forward(self, x: Tensor) -> Tensor:
        squares = (x[:, None] - self.places).square().mean(2)
        return self.head(torch.exp(-8 * squares))


@contextmanager
def only(free: int) -> Iterator[None]:
    """No more memory than that beside what is in use, as `ulimit -v` has it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(STATM.read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def program(batch_size: int) -> Experiment:
    def build(seed: int) -> Parts:
        if not STATM.is_file():
            raise Absent("this system does not tell a process how much memory it uses")
        train, val = loaders(*digits(), seed, batch_size)
        torch.manual_seed(seed)
        model = Prototypes()
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(val.dataset, batch_size=16))

    return Experiment(build, epochs=4, fit=fit)


def fit(parts: Parts, log: Log) -> None:
    with only(FREE):
        for epoch in range(log.epochs):
            parts.model.train()
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                loss = parts.loss_fn(parts.model(x), y)
                loss.backward()
                parts.optimizer.step()
            parts.model.eval()
            with torch.no_grad():
                hits = sum(int((parts.model(x).argmax(1) == y).sum()) for x, y in parts.val)
            log(epoch=epoch, val_score=hits / len(parts.val.dataset))


CASE = Case(
    source="own, after many questions of the kind",
    task="images, classes",
    faults=("memory-overrun",),
    faulty=lambda: program(batch_size=128),
    fixed=lambda: program(batch_size=16),
)
