"""Samples come as a stream without a length, made up as they are read; an epoch is so many of them."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from cases.case import Healthy
from torchdoctor import Experiment, Parts


class Stream(IterableDataset):
    """Points in four dimensions; 1 where they lie outside a ball."""

    def __init__(self, seed: int, n: int) -> None:
        self.seed, self.n = seed, n

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        numbers = torch.Generator().manual_seed(self.seed)
        for _ in range(self.n):
            x = torch.randn(4, generator=numbers)
            yield x, (x.norm() > 1.83).float()[None]


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train = DataLoader(Stream(seed + 100, 2000), batch_size=50)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, train, DataLoader(Stream(99, 500), batch_size=100))


CASE = Healthy("stream, binary", "no length, no shuffling", lambda: Experiment(build, epochs=15))
