"""Answers asked for one at a time are counted where the questions were there together, and only there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.record.watch import watch

X = torch.randn(160, 6)
Loop = Callable[[nn.Module], None]


def counted(evaluate: Loop, batch: int = 16) -> tuple[dict[str, int], list[str]]:
    """The fact and the names of what is said, of 4 epochs of 3 steps, each with an evaluation."""
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as watched:
        for _ in range(4):
            model.train()
            for _ in range(3):
                optimizer.zero_grad()
                model(torch.randn(batch, 6)).square().mean().backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                evaluate(model)
    answers = watched.trace().facts["answers"]
    return answers, [f.name for f in watched.report() if f.name == "unbatched-inference" and f.alarm]


def rows(model: nn.Module) -> None:
    for i in range(len(X)):
        model(X[i : i + 1])


def rows_of_a_dataset(model: nn.Module) -> None:
    data = TensorDataset(X)
    for i in range(len(data)):
        model(data[i][0][None])


def rows_without_a_batch(model: nn.Module) -> None:
    for x in X:
        model(x)


def a_loader_of_one(model: nn.Module) -> None:
    for (x,) in DataLoader(TensorDataset(X), batch_size=1):
        model(x)


def in_batches(model: nn.Module) -> None:
    model(X)


def its_own_answers(model: nn.Module) -> None:
    """Each input is made of the answer before, in a window that moves along what was written so far."""
    written = torch.zeros(len(X) + 6)
    for i in range(len(X)):
        written[i + 6] = model(written[i : i + 6][None])[0, 0]


def made_one_after_another(model: nn.Module) -> None:
    for _ in range(len(X)):
        model(torch.randn(1, 6))


def the_same_one(model: nn.Module) -> None:
    for _ in range(len(X)):
        model(X[:1])


@pytest.mark.parametrize("loop", [rows, rows_of_a_dataset, rows_without_a_batch, a_loader_of_one])
def test_samples_that_lay_there_together_are_told(loop: Loop) -> None:
    answers, named = counted(loop)
    assert answers["passes"] == answers["singles"] == 4 * len(X)
    assert answers["waiting"] >= 4 * (len(X) - 1) and named == ["unbatched-inference"]


@pytest.mark.parametrize("loop", [in_batches, its_own_answers, made_one_after_another, the_same_one])
def test_nothing_is_said_of_batches_and_of_samples_that_were_not_there_yet(loop: Loop) -> None:
    answers, named = counted(loop)
    assert answers["waiting"] == 0 and named == []


def test_a_model_that_is_trained_on_single_samples_cannot_take_more() -> None:
    assert counted(rows, batch=1)[0]["singles"] == 0
