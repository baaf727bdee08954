"""A recurrent net unrolled by hand: the state is detached at every row of the picture, as one does between batches."""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Unrolled(nn.Module):
    def __init__(self, mended: bool) -> None:
        super().__init__()
        self.mended = mended
        self.cell = nn.GRUCell(28, 48)
        self.fc = nn.Linear(48, 10)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(len(x), 48)
        for row in x[:, 0].unbind(1):
            h = self.cell(row, h if self.mended else h.detach())
        return self.fc(h)


def build(seed: int, mended: bool) -> Parts:
    x, y = mnist(1600)
    torch.manual_seed(seed)
    model = Unrolled(mended)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed, batch_size=32))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), 5.0)
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Case(
    source='"trying to backward a second time" cured in the wrong place, as asked about on the PyTorch forum',
    task="images as sequences, classes",
    faults=("detached-graph",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=16, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=16, fit=fit),
    where=("cell",),
)
