"""Contrastive loss for which 1 means "same", written down from a paper in which 1 means "different"."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from cases.case import Case, either
from cases.data import digits
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class PairDataset(Dataset):
    def __init__(self, x: Tensor, y: Tensor, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.x, self.other = x, torch.randint(len(x), (len(x),), generator=generator)
        for i in range(0, len(x), 2):
            friends = torch.nonzero(y == y[i]).flatten()
            self.other[i] = friends[int(torch.randint(len(friends), (), generator=generator))]
        self.same = (y == y[self.other]).float()

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor]:
        return self.x[i], self.x[self.other[i]], self.same[i]


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return F.pairwise_distance(self.net(a), self.net(b))


def contrastive_loss(distance: Tensor, label: Tensor, mended: bool) -> Tensor:
    label = 1 - label if mended else label
    return ((1 - label) * distance**2 + label * torch.clamp(1.5 - distance, min=0.0) ** 2).mean()


def build(seed: int, mended: bool) -> Parts:
    x, y = digits()
    torch.manual_seed(seed)
    model = Siamese()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(PairDataset(x[:1300], y[:1300], 1), 32, shuffle=True, generator=shuffling)
    val = DataLoader(PairDataset(x[1300:], y[1300:], 2), 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, partial(contrastive_loss, mended=mended), optimizer, train, val)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for a, b, label in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(a, b), label).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            d, same = (torch.cat(v) for v in zip(*((parts.model(a, b), s) for a, b, s in parts.val)))
        near, far = d[same == 1], d[same == 0]
        log(epoch=epoch, val_score=(near[:, None] < far[None]).float().mean().item())


CASE = Case(
    source="the two conventions of the contrastive loss, as asked about on StackOverflow",
    task="images, metric learning",
    faults=(either("wrong-loss", "corrupted-labels"),),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=15, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=15, fit=fit),
)
