"""Arms, lengths and what is remembered of them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.arm import Length, Tell, trained
from torchdoctor.cures.budget import Budget
from torchdoctor.cures.race import race
from torchdoctor.cures.remedies import names_of, treated
from torchdoctor.cures.runner import Job, Wait
from torchdoctor.cures.track import Track
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment, Log
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts

FASTER = (Remedy("set-learning-rate", {"factor": 3.0}),)
LONGER = (Remedy("more-epochs", {"factor": 2.0}),)


def build(seed: int) -> Parts:
    table = load_iris()
    x, y = torch.tensor(table.data, dtype=torch.float32), torch.tensor(table.target)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    train = DataLoader(TensorDataset(x[order[:100]], y[order[:100]]), 10, shuffle=True)
    val = DataLoader(TensorDataset(x[order[100:]], y[order[100:]]), 50)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.01), train, val)


def scheduled(seed: int) -> Parts:
    parts = build(seed)
    return replace(parts, scheduler=CosineAnnealingLR(parts.optimizer, 8))


def loop(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        step(parts)
        log(epoch=epoch)


def stubborn_loop(parts: Parts, log: Log) -> None:
    for _ in range(8):
        step(parts)


def step(parts: Parts) -> None:
    for x, y in parts.train:
        parts.optimizer.zero_grad()
        parts.loss_fn(parts.model(x), y).backward()
        parts.optimizer.step()


def track(fit: Any = None, make: Callable[[int], Parts] = build, epochs: int = 8, seeds: int = 3, **more: Any) -> Track:
    made = Track(Experiment(make, epochs=epochs, fit=fit, **more), Budget(100), seeds, None)
    made.first_run()
    return made


def test_the_same_seed_and_length_give_the_same_score_and_others_do_not() -> None:
    one = trained(Experiment(build, 4), 1, Length(4))
    again = trained(Experiment(build, 4), 1, Length(4))

    assert (one.score, one.numbers) == (again.score, again.numbers)
    assert one.numbers != trained(Experiment(build, 4), 2, Length(4)).numbers


def test_watching_an_arm_does_not_change_how_it_ends() -> None:
    plain, watched = (trained(Experiment(build, 4), 1, Length(4), watched=w) for w in (False, True))

    assert plain.numbers == watched.numbers
    assert watched.trace is not None
    assert watched.trace.has("grad_norm")


def test_random_numbers_are_afterwards_where_they_were() -> None:
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()  # noqa: NPY002
    trained(Experiment(build, 2), 1, Length(2))

    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])


def test_a_long_run_is_worth_the_shorter_ones_it_went_through() -> None:
    """The score it logged there is the one a run of that length ends with, so that run is free."""
    known = track()
    alone = trained(Experiment(build, 8), 0, Length(2))

    assert known.price([()], [0], 0.25) == (0.0, 0)
    assert known.run((), 0, 0.25).score == alone.score
    assert known.purse.runs == 0


@pytest.mark.parametrize(
    "other",
    [lambda: track(loop), lambda: track(make=scheduled), lambda: track(score=lambda model, loader: 1.0)],
    ids=["a loop of the user's", "a schedule", "a score of the user's"],
)
def test_but_not_where_it_might_have_gone_another_way(other: Callable[[], Track]) -> None:
    assert other().price([()], [0], 0.25) == (0.25, 1)


def test_training_longer_is_the_same_run_gone_on() -> None:
    known = track()
    known.run(LONGER, 1)

    assert known.purse.runs == pytest.approx(2)
    assert known.price([()], [1]) == (0.0, 0)


def test_what_was_run_is_remembered_and_paid_for_once() -> None:
    known = track(loop)
    first = known.run(FASTER, 2, 0.5)

    assert known.run(FASTER, 2, 0.5) is first
    assert known.purse.runs == pytest.approx(0.5)


def test_shorter_than_an_epoch_is_counted_in_samples() -> None:
    known = track(loop)

    assert known.length((), 0.25) == Length(2)
    assert known.length((), 0.05) == Length(1, 40)
    assert known.length(LONGER, 1.0) == Length(16)


@pytest.mark.parametrize("size", [5, 20, 50])
@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_batches_of_another_size_cost_what_they_hold(size: int, share: float) -> None:
    """Ten times as many batches of a tenth of the size are the same samples, and the same run."""
    known, other = track(loop), (Remedy("set-batch-size", {"batch_size": size}),)
    known.run(other, 1, share)

    assert known.price([other], [2], share) == (share, 1)
    assert known.purse.runs == pytest.approx(share, abs=size / 2 / 800)


def test_a_loop_that_does_not_heed_the_epochs_is_shortened_pass_by_pass() -> None:
    known = track(stubborn_loop)
    outcome = known.run(FASTER, 0, 0.25)

    assert (outcome.passes, outcome.drawn) == (8, 16)
    assert known.length((), 0.5) == Length(8, 50)


def test_a_change_that_breaks_the_network_ends_its_arm_and_not_the_race() -> None:
    def fit(parts: Parts, log: Log) -> None:
        step(parts)
        if parts.optimizer.param_groups[0]["lr"] > 0.02:
            raise RuntimeError("exploded")

    outcome = track(fit).run(FASTER, 0)

    assert math.isnan(outcome.score)
    assert outcome.error == "RuntimeError: exploded"


def test_ctrl_c_in_an_arm_ends_the_search_and_is_no_outcome_of_the_arm() -> None:
    """A watched arm that was cut short would have lost against any other."""

    def fit(parts: Parts, log: Log) -> None:
        step(parts)
        if parts.optimizer.param_groups[0]["lr"] > 0.02:
            raise KeyboardInterrupt

    made = track(fit)
    with pytest.raises(KeyboardInterrupt):
        made.run(FASTER, 0)
    assert made.price([FASTER], [0]) == (1.0, 1)


def test_arms_that_are_begun_ahead_are_each_run_once_and_come_out_the_same() -> None:
    class AtOnce:
        def __init__(self) -> None:
            self.jobs: list[Job] = []

        def start(self, job: Job, tell: Tell) -> Wait:
            self.jobs.append(job)
            outcome = job.trained(treated(job.experiment, job.remedies), tell)
            return lambda: outcome

    runner = AtOnce()
    made = Track(Experiment(build, epochs=4), Budget(100), 2, None, runner=runner)
    made.first_run()
    ran, alone = (race(t, FASTER, (), causes=(), why="", share=0.5) for t in (made, track(epochs=4, seeds=2)))

    assert (ran.with_it, ran.without, ran.effect) == (alone.with_it, alone.without, alone.effect)
    assert [(names_of(job.remedies), job.seed) for job in runner.jobs] == [
        ("unchanged", 0), ("set-learning-rate", 0), ("unchanged", 1), ("set-learning-rate", 1)
    ]  # fmt: skip


def test_a_model_that_is_built_once_and_handed_out_again_is_refused() -> None:
    parts = build(0)

    with pytest.raises(BadParts, match="same model twice"):
        track(make=lambda seed: parts).run(FASTER, 1)


def test_a_loop_that_trains_on_something_else_is_refused() -> None:
    with pytest.raises(BadParts, match=r"parts\.train"):
        track(lambda parts, log: None)


def test_a_run_that_ended_early_does_not_make_all_others_look_dear() -> None:
    """The unit of cost is a whole run, not what a run that broke after one epoch took."""

    def fit(parts: Parts, log: Log) -> None:
        step(parts)
        if parts.optimizer.param_groups[0]["lr"] < 0.02:
            raise RuntimeError("exploded")
        loop(parts, log)

    known = track(fit)
    known.run(FASTER, 0, 0.5)

    assert known.purse.runs == pytest.approx(5 / 8)


@pytest.mark.parametrize(("breaks_at", "late"), [(75, 0.9375), (5, 0.0625), (None, 0.0)])
def test_it_is_known_when_a_run_that_was_well_broke(breaks_at: int | None, late: float) -> None:
    class Loss(nn.CrossEntropyLoss):
        calls = 0

        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            self.calls += output.requires_grad
            far = breaks_at is not None and self.calls > breaks_at
            return super().forward(output, target) * (math.nan if far else 1.0)

    made = track(make=lambda seed: replace(build(seed), loss_fn=Loss()))

    assert made.broken_from() == late


def test_a_loss_that_rises_for_good_is_told_from_one_that_rose_once() -> None:
    class Loss(nn.CrossEntropyLoss):
        def __init__(self, bad: range) -> None:
            super().__init__()
            self.calls, self.bad = 0, bad

        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            self.calls += output.requires_grad
            return super().forward(output, target) + (20.0 if self.calls in self.bad else 0.0)

    def broken_from(bad: range) -> float:
        return track(make=lambda seed: replace(build(seed), loss_fn=Loss(bad))).broken_from()

    assert broken_from(range(41, 99)) == pytest.approx(0.6)
    assert broken_from(range(41, 60)) == 0.0
