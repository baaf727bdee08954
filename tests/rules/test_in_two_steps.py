"""Faults of the loop are named after its second step, and a sound loop is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from torchdoctor.record.watch import watch

LOSS = nn.CrossEntropyLoss()
Step = Callable[[nn.Module, Optimizer, Tensor, Tensor], None]


def sound(model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor) -> None:
    optimizer.zero_grad()
    LOSS(model(x), y).backward()
    optimizer.step()


def never_cleared(model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor) -> None:
    LOSS(model(x), y).backward()
    optimizer.step()


def cleared_before_the_step(model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor) -> None:
    LOSS(model(x), y).backward()
    optimizer.zero_grad()
    optimizer.step()


def in_eval_mode(model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor) -> None:
    model.eval()
    sound(model, optimizer, x, y)


def of_a_number(model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor) -> None:
    optimizer.zero_grad()
    torch.tensor(LOSS(model(x), y).item(), requires_grad=True).backward()
    optimizer.step()


def by_a_new_optimizer(model: nn.Module, _: Optimizer, x: Tensor, y: Tensor) -> None:
    sound(model, SGD(model.parameters(), 0.05, momentum=0.9), x, y)


def found(
    step: Step, make: Callable[[nn.Module], Optimizer] = lambda model: SGD(model.parameters(), 0.05)
) -> list[str]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5))
    optimizer = make(model)
    with watch(model, optimizer, LOSS, tell=False) as watched:
        for _ in range(2):
            step(model, optimizer, torch.randn(32, 16), torch.randint(0, 5, (32,)))
    return [f.name for f in watched.report() if f.alarm]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (never_cleared, "missing-zero-grad"),
        (cleared_before_the_step, "misplaced-zero-grad"),
        (in_eval_mode, "eval-mode-training"),
        (of_a_number, "detached-graph"),
        (by_a_new_optimizer, "stale-optimizer"),
    ],
)
def test_two_steps_are_enough(step: Step, fault: str) -> None:
    assert found(step) == [fault]


def test_nothing_is_said_of_two_sound_steps() -> None:
    assert found(sound) == found(sound, lambda model: Adam(model.parameters(), 1e-3)) == []


def test_the_optimizer_of_another_model_comes_first() -> None:
    assert found(sound, lambda _: SGD(nn.Linear(4, 4).parameters(), 0.05))[0] == "stale-optimizer"


def test_a_loss_that_is_used_twice_is_told_by_the_second_step() -> None:
    model = nn.Linear(16, 5)
    optimizer = SGD(model.parameters(), 0.05)
    with watch(model, optimizer, LOSS, tell=False) as watched:
        loss = LOSS(model(torch.randn(32, 16)), torch.randint(0, 5, (32,)))
        for _ in range(2):
            optimizer.zero_grad()
            loss.backward(retain_graph=True)
            optimizer.step()
    assert [f.name for f in watched.report() if f.alarm] == ["stale-graph"]
