"""When a cure counts as not worse than the fix a person made."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.cures_table import by_hand, markdown, not_told, within_margin

FAULTY, HUMAN = (0.50, 0.52, 0.48), (0.90, 0.91, 0.89)


def row(cured: tuple[float, ...], faults: list[list[str]] | None = None, **more: Any) -> dict[str, Any]:
    arms = {"faulty": FAULTY, "human": HUMAN, "cured": cured}
    scores = {arm: {str(seed): score for seed, score in enumerate(values)} for arm, values in arms.items()}
    ruler = {"samples": 1000, "kind": "share", "chance": None}
    told = {"verdict": "cured", "cost": 2.5, "fixes": ["use-adam"], "named": True}
    return {"case": "one", "truths": faults or [["wrong-loss"]], "ruler": ruler, "scores": scores, **told, **more}


@pytest.mark.parametrize(
    ("cured", "not_told_apart", "margin"),
    [
        (HUMAN, True, True),
        ((0.95, 0.96, 0.94), True, True),
        ((0.899, 0.909, 0.889), True, True),  # surely worse, by less than anyone cares for
        ((0.80, 0.81, 0.79), False, False),
        ((0.95, 0.60, 0.89), True, False),  # so noisy that nobody can say
        (FAULTY, False, False),
        ((float("nan"),) * 3, False, False),  # it broke
    ],
)
def test_an_end_is_compared_with_the_human_fix(cured: tuple[float, ...], not_told_apart: bool, margin: bool) -> None:
    assert (not_told(row(cured), "cured"), within_margin(row(cured), "cured")) == (not_told_apart, margin)


def test_a_fault_that_only_a_person_can_mend_is_one_whatever_else_there_is() -> None:
    assert by_hand(row(HUMAN, [["wrong-loss"], ["ignored-input"]]))
    assert not by_hand(row(HUMAN, [["wrong-loss", "ignored-input"]]))


def test_the_page_counts_cases_and_shows_each() -> None:
    page = markdown([row(HUMAN), row(FAULTY, case="two", verdict="not proven", fixes=[])], seeds=3)

    assert "| all | 2 | 0 of 2 | 0 of 2 |  |  | 1 of 2 | 1 of 2 | 2.5 |" in page
    assert "| one |  | 0.500 | 0.900 | 0.900 ✓ |" in page
    assert "| two |  | 0.500 | 0.900 | 0.500 ✗ |" in page


def test_healthy_recipes_are_counted_by_what_was_changed() -> None:
    sound = {**row(HUMAN), "truths": [], "fixes": [], "verdict": "healthy"}
    spoilt = {**row((0.1, 0.1, 0.1)), "truths": []}

    assert "1 of 2 healthy recipes were changed, 1 made worse." in markdown([sound, spoilt], seeds=3)
