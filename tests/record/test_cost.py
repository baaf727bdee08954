"""The cost ceiling: pure arithmetic over the times it is told, and the true times it is told by the watch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from steady import Hand
from torch import nn

from torchdoctor.record.cost import GAP, SMOOTHING, Ceiling
from torchdoctor.record.watch import Watch, watch

SECONDS = st.floats(1e-6, 10.0)
SHARES = st.floats(1e-4, 1.0)


def forced(step: int) -> bool:
    """0, 1, 2, 4, 8 ..."""
    return bin(step).count("1") <= 1


@given(share=SHARES, steps=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=200))
def test_a_step_is_sampled_when_it_is_a_power_of_two_or_the_budget_covers_what_one_has_cost(
    share: float, steps: list[tuple[float, float]]
) -> None:
    ceiling, sampled = Ceiling(share), True
    budget, expected, last = 0.0, 0.0, 0
    for step, (users, own) in enumerate(steps):
        budget += share * users - own
        if sampled:
            last = step
            expected = own if expected == 0 else expected + SMOOTHING * (own - expected)
        sampled = ceiling.step(step, users, own, sampled)
        if forced(step + 1):
            assert sampled
        elif step + 1 - last < GAP:
            assert not sampled
        elif budget != pytest.approx(expected):
            assert sampled == (budget > expected)


@given(
    share=SHARES,
    users=st.lists(SECONDS, min_size=300, max_size=300),
    looking=SECONDS,
    free=st.floats(0.0, 1.0),
)
def test_the_share_stays_below_the_ceiling_but_for_the_steps_that_are_forced(
    share: float, users: list[float], looking: float, free: float
) -> None:
    """free: the cost of an unsampled step as a part of what the ceiling allows for it."""
    ceiling, sampled, exempt = Ceiling(share), True, 0.0
    for step, seconds in enumerate(users):
        own = looking if sampled else free * share * seconds
        exempt += own if sampled and forced(step) else 0.0
        sampled = ceiling.step(step, seconds, own, sampled)
        assert ceiling.own - exempt <= share * ceiling.users * (1 + 1e-9)
    assert ceiling.measured == pytest.approx(ceiling.own / sum(users))


@given(share=SHARES, users=SECONDS)
def test_a_watch_that_costs_too_much_on_ordinary_steps_keeps_to_the_forced_ones(share: float, users: float) -> None:
    ceiling, sampled = Ceiling(share), True
    for step in range(400):
        assert sampled == forced(step)
        sampled = ceiling.step(step, users, 1.01 * share * users, sampled)


@given(share=SHARES, users=SECONDS)
def test_a_watch_that_costs_nothing_looks_at_every_tenth_step(share: float, users: float) -> None:
    ceiling, sampled, looked = Ceiling(share), True, []
    for step in range(100):
        looked += [step] if sampled else []
        sampled = ceiling.step(step, users, 0.0, sampled)
    assert looked == [0, 1, 2, 4, 8, 16, 26, 32, 42, 52, 62, 64, 74, 84, 94]


def trained(hand: Hand, cost: float, steps: int, pause: float = 0.0) -> Watch:
    model = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    with watch(model, optimizer, cost=cost, tell=False) as w:
        for _ in range(steps):
            optimizer.zero_grad()
            model(torch.randn(8, 16)).square().mean().backward()
            hand.passes(pause)
            optimizer.step()
    return w


def test_the_ceiling_is_told_all_of_the_time_that_watching_takes(hand: Hand) -> None:
    w = trained(hand, 0.02, 200)
    assert w._ceiling.own == pytest.approx(w._follower.clock.own, rel=0.02)
    assert w.cost == pytest.approx(w._follower.clock.own / w._ceiling.users, rel=0.02)


def test_under_a_low_ceiling_only_the_forced_steps_are_sampled(hand: Hand) -> None:
    sampled = trained(hand, 1e-6, 100).trace()["stale_grad_norm"].steps.tolist()
    assert sampled == [0, 1, 2, 4, 8, 16, 32, 64]


def test_under_a_high_ceiling_and_in_a_slow_loop_every_tenth_step_is_sampled(hand: Hand) -> None:
    sampled = trained(hand, 1.0, 60, pause=0.01).trace()["stale_grad_norm"].steps.tolist()
    assert sampled == [0, 1, 2, 4, 8, 16, 26, 32, 42, 52]


def test_the_free_signals_are_there_on_every_step(hand: Hand) -> None:
    trace = trained(hand, 1e-6, 50).trace()
    assert trace["loss"].steps.tolist() == trace["grad_norm"].steps.tolist() == list(range(50))
    assert len(trace.data["phase_time"]["rest"]) == 50
