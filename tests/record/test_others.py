"""Optimizers that step the watched weights without being the watched one are counted, and no others."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.optim import SGD, Optimizer

from torchdoctor.record.watch import Watch, watch


def loop(choose: Callable[[nn.Module, Optimizer], Optimizer]) -> Watch:
    model = nn.Linear(4, 1)
    optimizer, x = SGD(model.parameters(), 0.1), torch.randn(16, 4)
    with watch(model, optimizer, tell=False) as watched:
        for _ in range(12):
            chosen = choose(model, optimizer)
            chosen.zero_grad()
            model(x).square().mean().backward()
            chosen.step()
    return watched


def test_an_optimizer_made_for_every_step_is_found() -> None:
    watched = loop(lambda model, _: SGD(model.parameters(), 0.1, momentum=0.9))
    assert watched.trace().facts["other_optimizers"] == {"made": 12, "steps": 12}
    assert [f.name for f in watched.report() if f.alarm] == ["stale-optimizer"]


def test_the_watched_one_and_those_of_other_networks_do_not_count() -> None:
    other = nn.Linear(4, 1)

    def both(_: nn.Module, optimizer: Optimizer) -> Optimizer:
        SGD(other.parameters(), 0.1).step()
        return optimizer

    watched = loop(both)
    assert watched.trace().facts["other_optimizers"] == {"made": 0, "steps": 0}
    assert not any(f.alarm for f in watched.report())


def test_nobody_listens_after_the_watch() -> None:
    watched = loop(lambda _, optimizer: optimizer)
    SGD(watched.model.parameters(), 0.1).step()
    assert watched._others.made == 0
