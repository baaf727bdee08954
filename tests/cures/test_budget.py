"""Budgets: what can be written, and what is left."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from steady import Hand

from torchdoctor.cures import budget as module
from torchdoctor.cures.budget import Budget, Purse
from torchdoctor.errors import BadParts


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("3x", Budget(3)), ("2.5 runs", Budget(2.5)), (4, Budget(4)), ("10min", Budget(600, "seconds")),
        ("90 s", Budget(90, "seconds")), ("1.5h", Budget(5400, "seconds")), ("20 trials", Budget(20, "trials")),
        ("40trials", Budget(40, "trials")),
    ],
)  # fmt: skip
def test_a_budget_is_written_as_runs_time_or_trials(text: str | float, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "x", "3 apples", "-1x", "0x", "0 trials", "ten", "3xx", None])
def test_anything_else_is_refused_with_what_can_be_written(text: str) -> None:
    with pytest.raises(BadParts, match="10min"):
        Budget.parse(text)


def test_runs_are_counted_by_what_was_drawn_and_not_by_the_clock() -> None:
    purse = Purse(Budget(3), run_seconds=10)
    purse.pay(1.5)

    assert purse.left == 1.5
    assert purse.affords(1.5)
    assert not purse.affords(1.6)
    assert purse.standing() == (2.5, 4.0, 15.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """What a purse looks at that began at 0."""
    made = Hand()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=made))
    return made


def test_time_is_what_is_left_on_the_clock(clock: Hand) -> None:
    purse = Purse(Budget(60, "seconds"), run_seconds=10, began=0.0)
    clock.passes(40)

    assert purse.left == pytest.approx(2, abs=1e-3)
    assert purse.affords(1.9)
    assert not purse.affords(2.1)


def test_probes_take_their_own_time_but_no_more_than_a_fifth_of_a_budget_in_time() -> None:
    assert Purse(Budget(3)).at_most(60) == 60
    assert Purse(Budget(600, "seconds")).at_most(60) == 60
    assert Purse(Budget(60, "seconds")).at_most(60) == 12


def test_what_a_cure_spent_before_it_was_stopped_counts(clock: Hand) -> None:
    purse = Purse(Budget(60, "seconds"), run_seconds=10, began=0.0, earlier=45.0)

    assert purse.elapsed == pytest.approx(45, abs=1e-3)
    assert not purse.affords(2)


def test_a_trial_is_a_trial_however_long() -> None:
    purse = Purse(Budget(2, "trials"), run_seconds=10)
    purse.pay(0.1)

    assert purse.left == math.inf
    assert purse.affords(100.0, trials=1)
    assert not purse.affords(0.1, trials=2)
    assert purse.standing() == (1, 2, None)
