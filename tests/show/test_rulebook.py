"""A rule's page in a terminal says how it fared on programs whose faults are known."""

from __future__ import annotations

from io import StringIO

from torchdoctor.discover import discover
from torchdoctor.judge.likelihoods import LIKELIHOODS
from torchdoctor.judge.rule import Rule
from torchdoctor.show.rulebook import on_benchmark, print_page

RULES = discover("rules", Rule)


def test_the_page_of_a_cause_says_how_often_it_was_right() -> None:
    rule, page = RULES["high-learning-rate"], StringIO()
    print_page(rule, page)
    right, wrong = LIKELIHOODS.alarms[rule.name]
    assert f"{right + wrong} alarms, of which {right} named a fault" in " ".join(page.getvalue().split())


def test_symptoms_are_neither_right_nor_wrong() -> None:
    assert on_benchmark(RULES["stalled-loss"]) == ""


def test_hints_are_counted_apart() -> None:
    right, wrong = LIKELIHOODS.hints["too-few-epochs"]
    assert f"{right + wrong} hints, of which {right} hinted at" in on_benchmark(RULES["too-few-epochs"])
