"""Evaluations that keep their graphs are counted, and training in eval mode is none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from torchdoctor.record.watch import watch


def counted(evaluate_with: bool, train_in_eval: bool = False) -> tuple[int, list[str]]:
    """The fact, and what the report alarms on, of 12 epochs of one step and one evaluation each."""
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), torch.randn(16, 4)
    y, optimizer, loss_fn = x.sum(1, keepdim=True), torch.optim.Adam(model.parameters(), 0.01), nn.MSELoss()
    with watch(model, optimizer, loss_fn, tell=False) as watched:
        for _ in range(12):
            model.train(not train_in_eval)
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
            model.eval()
            with torch.set_grad_enabled(evaluate_with):
                watched.log(val_loss=loss_fn(model(x), y).item())
    report = watched.report()
    assert not report.crashed
    return int(watched.trace().facts["graded_evaluations"]), [f.name for f in report if f.alarm]


@pytest.mark.parametrize("train_in_eval", [False, True])
def test_under_no_grad_nothing_is_counted(train_in_eval: bool) -> None:
    assert counted(evaluate_with=False, train_in_eval=train_in_eval)[0] == 0


def test_every_evaluation_with_gradients_is_counted_and_told() -> None:
    graded, alarms = counted(evaluate_with=True)
    assert graded == 12 and "grad-enabled-inference" in alarms
