"""Arms start alike whatever the user's build hands out: samplers with a position, shared generators, averages."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from sklearn.datasets import load_iris
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Sampler, TensorDataset

from torchdoctor.cures.arm import Length, trained
from torchdoctor.cures.budget import Budget
from torchdoctor.cures.track import Track
from torchdoctor.experiment import Experiment, Log
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.recipe.schema import Recipe

table = load_iris()
DATA = TensorDataset(torch.tensor(table.data, dtype=torch.float32), torch.tensor(table.target))
FASTER = (Remedy("set-learning-rate", {"factor": 3.0}),)


class Turning(Sampler[int]):
    """Goes on where the pass before it ended."""

    def __init__(self) -> None:
        self.position = 0

    def __iter__(self) -> Iterator[int]:
        for _ in range(60):
            yield self.position % 150
            self.position += 7

    def __len__(self) -> int:
        return 60


def parts_with(loader: DataLoader[Any], seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
    val = DataLoader(DATA, 150)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01), loader, val)


def seen_by(loop: list[Tensor], track: Track, remedies: tuple[Remedy, ...]) -> list[Tensor]:
    loop.clear()
    track.run(remedies, 1)
    return list(loop)


def noting(seen: list[Tensor]) -> Any:
    def fit(parts: Parts, log: Log) -> None:
        for epoch in range(log.epochs):
            for x, y in parts.train:
                seen.append(x.clone())
                parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                parts.optimizer.step()
            log(epoch=epoch)

    return fit


def same(loader: DataLoader[Any]) -> bool:
    """Whether two arms over one loader, which build() does not make anew, see the same batches."""
    seen: list[Tensor] = []
    made = Track(Experiment(lambda seed: parts_with(loader, seed), epochs=2, fit=noting(seen)), Budget(9), 2, None)
    made.first_run()
    plain, changed = (seen_by(seen, made, remedies) for remedies in ((), FASTER))
    return len(plain) == len(changed) > 2 and all(torch.equal(a, b) for a, b in zip(plain, changed))


def test_a_sampler_that_keeps_its_position_starts_every_arm_where_it_stood() -> None:
    sampler = Turning()
    loader = DataLoader(DATA, 20, sampler=sampler)

    assert same(loader)
    assert sampler.position == 0


def test_a_generator_that_all_builds_share_starts_every_arm_where_it_stood() -> None:
    generator = torch.Generator().manual_seed(5)
    before = generator.get_state()

    assert same(DataLoader(DATA, 20, shuffle=True, generator=generator))
    assert torch.equal(generator.get_state(), before)


def test_an_average_that_the_users_loop_keeps_is_made_anew_in_every_arm() -> None:
    def fit(parts: Parts, log: Log) -> None:
        average = AveragedModel(parts.model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
        for epoch in range(log.epochs):
            for x, y in parts.train:
                parts.optimizer.zero_grad()
                parts.loss_fn(parts.model(x), y).backward()
                parts.optimizer.step()
                average.update_parameters(parts.model)
            log(epoch=epoch)
        parts.model.load_state_dict(average.module.state_dict())

    kept = Experiment(lambda seed: parts_with(DataLoader(DATA, 20, shuffle=True), seed), epochs=3, fit=fit)
    one, other, again = (trained(kept, seed, Length(3)).score for seed in (1, 2, 1))

    assert one == again
    assert 0 < other <= 1


def test_the_average_of_a_recipes_own_loop_is_what_is_scored() -> None:
    recipe = Recipe.from_dict(
        {
            "data": {"name": "digits", "limit": 300, "scale": "unit"},
            "model": {"name": "mlp"},
            "optimizer": {"name": "sgd", "lr": 0.1},
            "train": {"epochs": 3, "device": "cpu", "ema": 0.99},
        }
    )
    outcome = trained(recipe.experiment(), 0, Length(3))

    assert outcome.score == outcome.numbers["val_score"][-1]
    plain = copy.deepcopy(recipe).patched({"train.ema": None})
    assert outcome.score != trained(plain.experiment(), 0, Length(3)).score
