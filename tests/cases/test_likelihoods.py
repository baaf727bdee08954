"""Counting likelihoods: what is counted, that a family left out is left out, and that chances hold where they can."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cases.likelihoods import (
    Named,
    by_fault,
    by_task,
    counted,
    first_right,
    log_loss,
    named,
    reliability,
    tried,
    written,
)
from torchdoctor.judge.likelihoods import LIKELIHOODS
from torchdoctor.judge.odds import Likelihoods, Sign, strength


def alarm(name: str = "a", strength: str = "fair") -> Sign:
    return Sign(name, True, "error", strength, "unseen", "alone")


def run(said: list[tuple[str, str, str, float]], truths: tuple[tuple[str, ...], ...] = ()) -> dict[str, Any]:
    return {"truths": truths, "said": said, "task": "images, classes"}


def test_a_name_counts_once_a_run_and_symptoms_do_not() -> None:
    said = [
        ("high-learning-rate", "cause", "warning", 0.5),
        ("high-learning-rate", "cause", "error", 0.9),
        ("stalled-loss", "symptom", "warning", 0.9),
    ]
    (found,) = named({"faulty": [run(said, (("high-learning-rate",),))]})
    assert found.right and found.sign == Sign("high-learning-rate", True, "error", "strong", "all", "alone")
    assert counted([found]).alarms == {"high-learning-rate": (1, 0)}


def test_alarms_on_sound_runs_are_wrong_and_hints_are_counted_apart() -> None:
    said = [("summed-loss", "cause", "warning", 0.8), ("constant-features", "cause", "info", 0.9)]
    table = counted(named({"healthy": [run(said)]}))
    assert table.alarms == {"summed-loss": (0, 1)} and table.hints == {"constant-features": (0, 1)}


def test_a_rule_that_was_never_counted_begins_with_what_all_have() -> None:
    table = Likelihoods(alarms={"a": (8, 0)})
    assert table.chance(alarm("new")) == pytest.approx(9 / 10)


def test_a_sign_seen_more_often_with_right_causes_raises_the_chance() -> None:
    table = Likelihoods(alarms={"a": (50, 50)}, strength={"strong": (45, 5), "weak": (5, 45)})
    assert table.chance(alarm(strength="strong")) > 0.6 > 0.4 > table.chance(alarm(strength="weak"))
    assert table.chance(alarm(strength="never seen")) == pytest.approx(0.5)


def test_a_family_is_tried_with_counts_of_the_others_only() -> None:
    found = [Named(alarm(), True, "images", "x")] * 9 + [Named(alarm(), False, "text", "y")] * 9
    given = {right: chance for chance, right in tried(found, by_task)}
    assert given[True] < 0.2 and given[False] > 0.8  # each family is judged by the other, which says the opposite
    assert [by_fault(n) for n in (Named(alarm(), True, "t", "f"), Named(alarm(), False, "t", "none"))] == ["f", "t"]


def test_chances_hold_on_families_that_are_alike() -> None:
    numbers = random.Random(0)
    found = [Named(alarm(), numbers.random() < 0.85, f"family {i % 10}", "f") for i in range(2000)]
    (kept,) = reliability(tried(found, by_task))
    assert kept.findings == 2000 and kept.mean == pytest.approx(kept.right, abs=0.02)
    assert log_loss(tried(found, by_task)) < log_loss([(0.5, n.right) for n in found])


def test_the_first_cause_is_by_a_table_that_does_not_know_the_family() -> None:
    both = [("frozen-parameters", "cause", "error", 0.9), ("leaked-validation", "cause", "error", 0.9)]
    table = {"faulty": [{**run(both, (("leaked-validation",),)), "task": task} for task in ("text", "images")]}
    assert first_right(table) == 1  # each family learns from the other that it is the split
    assert first_right({"faulty": table["faulty"][:1]}) == 0  # with nothing to learn from, by the alphabet


def test_the_module_that_is_written_holds_the_table() -> None:
    table = counted([Named(alarm("high-learning-rate"), True, "t", "f"), Named(alarm("a"), False, "t", "f")])
    inside: dict[str, Any] = {}
    exec(written(table), inside)
    assert inside["LIKELIHOODS"] == table


def test_the_table_in_use_names_known_severities_and_strengths() -> None:
    assert set(LIKELIHOODS.severity) <= {"warning", "error"}
    assert set(LIKELIHOODS.strength) <= {strength(c) for c in (0.0, 0.7, 0.9, 1.0)}
    assert sum(map(sum, LIKELIHOODS.alarms.values())) == sum(map(sum, LIKELIHOODS.beside.values())) > 100
