"""Samples that are read once, and those that must be read anew."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts


class Counting(Dataset[tuple[Tensor, Tensor]]):
    """Counts how often a sample is read; random ones are others each time."""

    def __init__(self, random: bool = False) -> None:
        self.read, self.random = 0, random

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        self.read += 1
        return torch.full((3,), float(index)) + self.random * torch.randn(3), torch.tensor(index % 2)


def parts(dataset: Counting) -> Parts:
    model = nn.Linear(3, 2)
    loader = DataLoader(dataset, 4, shuffle=True, generator=torch.Generator().manual_seed(0))
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), loader)


def kept(before: Parts) -> Parts:
    return resolve(Remedy("keep-in-memory")).apply(before)


def test_every_sample_is_read_once_and_comes_in_the_loaders_own_order() -> None:
    dataset = Counting()
    after = kept(parts(dataset))
    dataset.read = 0
    given = [torch.cat([x[:, 0] for x, _ in after.train]).tolist() for _ in range(3)]
    plain = [torch.cat([x[:, 0] for x, _ in parts(Counting()).train]).tolist()]
    assert dataset.read == 12 and given[0] == plain[0] and sorted(given[1]) == sorted(given[0]) != given[1]


def test_samples_that_are_new_each_time_are_refused() -> None:
    with pytest.raises(BadParts, match="new each time"):
        kept(parts(Counting(random=True)))
