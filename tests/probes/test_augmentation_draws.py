"""Workers and epochs that draw the same random numbers, and a fix that gives each its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from judging import judged
from measuring import measured
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from torchdoctor.fixes.seed_workers import seed_workers
from torchdoctor.parts import Parts
from torchdoctor.probes.augmentation_draws import augmentation_draws
from torchdoctor.rules.data.repeated_augmentation import repeated_augmentation


class Noisy(Dataset[tuple[Tensor, int]]):
    """rng: where its noise comes from; None: from torch's global numbers."""

    def __init__(self, rng: np.random.Generator | None) -> None:
        self.rng = rng

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        noise = torch.randn(3) if self.rng is None else torch.tensor(self.rng.normal(size=3)).float()
        return noise + index, index % 2


class Plain(Noisy):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.full((3,), float(index)), index % 2


def parts(data: Noisy, **loader: Any) -> Parts:
    model = nn.Linear(3, 2)
    train = DataLoader(data, 4, **{"num_workers": 2, "multiprocessing_context": "fork", **loader})
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), train)


def test_a_generator_in_the_dataset_is_copied_to_each_worker_and_epoch_and_the_fix_seeds_it() -> None:
    sick = parts(Noisy(np.random.default_rng(0)))
    report = judged(sick, [augmentation_draws], repeated_augmentation)
    assert [f.name for f in report] == ["repeated-augmentation"]
    assert not judged(seed_workers.apply(sick), [augmentation_draws], repeated_augmentation).findings
    assert sick.train.worker_init_fn is None


def test_torchs_own_numbers_differ_in_each_worker_and_epoch() -> None:
    found, _ = measured(augmentation_draws, parts(Noisy(None)))
    assert found == {("drawn_again_by_epoch", ""): 0.0, ("drawn_again_by_worker", ""): 0.0}


def test_no_worker_is_started_where_nothing_is_drawn_or_there_is_none() -> None:
    assert measured(augmentation_draws, parts(Plain(None)))[0] == {}
    alone = parts(Noisy(np.random.default_rng(0)), num_workers=0, multiprocessing_context=None)
    assert measured(augmentation_draws, alone)[0] == {}


def test_the_datasets_generator_is_afterwards_where_it_was() -> None:
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    measured(augmentation_draws, parts(Noisy(rng)))
    assert rng.bit_generator.state == before
