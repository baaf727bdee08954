"""What a cure leaves open is said, with the reason and what to look at."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

from torchdoctor.cures.effect import Effect
from torchdoctor.cures.race import Race
from torchdoctor.cures.result import Cure, Scores
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.show.proof import print_cure

RATE, SCALE = Remedy("set-learning-rate", {"factor": 0.1}), Remedy("standardize-inputs")


def found(name: str, *fixes: Remedy, **more: Any) -> Finding:
    given = {"kind": "cause", "severity": Severity.WARNING, **more}
    return Finding(f"{name}, with its numbers.", name=name, fixes=fixes, **given)


def raced(*changed: Remedy, causes: tuple[str, ...], effect: Effect) -> Race:
    return Race(changed, (), causes, {0: 0.9, 1: 0.9}, {0: 0.1, 1: 0.1}, effect, 0.25, 1.0)


def build(seed: int) -> Any:
    raise AssertionError("what is open is told without building anything")


SICK = Experiment(build, epochs=3)
CURED = Cure(
    report=Report((found("high-learning-rate", RATE), found("unscaled-inputs", SCALE), found("too-few-samples"))),
    races=(
        raced(RATE, SCALE, causes=("high-learning-rate", "unscaled-inputs"), effect=Effect(0.8, 0.7, 0.9, 3)),
        raced(RATE, causes=("high-learning-rate",), effect=Effect(0.8, 0.7, 0.9, 3)),
        raced(SCALE, causes=("unscaled-inputs",), effect=Effect(0.01, -0.02, 0.04, 3)),
    ),
    verdict="cured", reason="It was the rate.", fix=(RATE, SCALE), before=Scores({0: 0.1, 1: 0.1}),
    after=Scores({0: 0.9, 1: 0.9}), experiment=SICK, original=SICK,
)  # fmt: skip


def open_in(cure: Cure) -> dict[str, str]:
    return {left.what: left.why for left in cure.unproven}


def test_a_cause_that_was_raced_without_a_proof_is_told_with_its_numbers() -> None:
    left = open_in(CURED)

    assert "high-learning-rate" not in left
    assert "+0.010 [-0.020, +0.040] on 3 seeds" in left["unscaled-inputs"]
    assert left["too-few-samples"].startswith("No change of settings")


def test_what_was_raced_together_only_or_not_at_all_is_told_apart() -> None:
    together = open_in(replace(CURED, races=CURED.races[:1]))
    none = open_in(replace(CURED, races=(), fix=(), verdict="not proven", after=Scores({})))

    assert "together with others only" in together["high-learning-rate"]
    assert "was not raced" in none["high-learning-rate"]


def test_what_could_not_be_used_is_told_with_its_reason() -> None:
    useless = replace(CURED, races=(), useless={"unscaled-inputs": "standardize-inputs cannot be used here: words."})

    assert open_in(useless)["unscaled-inputs"] == "standardize-inputs cannot be used here: words."


def test_what_a_cured_run_still_shows_is_left_open() -> None:
    after = Report((found("overfitting", kind="symptom"), found("unscaled-inputs", severity=Severity.INFO)))

    assert "in the cured run too" in open_in(replace(CURED, report_after=after))["overfitting"]


def test_what_was_raced_and_is_still_found_is_told_once_and_harm_is_called_harm() -> None:
    after = Report((found("unscaled-inputs", SCALE),))
    harm = raced(SCALE, causes=("unscaled-inputs",), effect=Effect(-0.1, -0.2, -0.05, 3))
    cure = replace(CURED, races=(*CURED.races[:2], harm), report_after=after)

    assert [left.what for left in cure.unproven] == ["unscaled-inputs", "too-few-samples"]
    assert open_in(cure)["unscaled-inputs"] == (
        "standardize-inputs makes -0.100 [-0.200, -0.050] on 3 seeds: here it does harm."
    )


def test_an_interrupted_cure_and_one_of_few_whole_runs_say_so() -> None:
    assert open_in(replace(CURED, interrupted=True))["the rest of the search"] == "It was interrupted."
    short = replace(CURED, fix=(), verdict="not proven", after=Scores({}))
    assert "none of a whole one was run" in open_in(short)["the end of a whole run"]
    whole = replace(CURED.races[0], share=1.0)
    assert "the end of a whole run" not in open_in(replace(short, races=(*CURED.races, whole)))
    assert "other seeds in whole runs" in open_in(replace(CURED, after=Scores({0: 0.9})))


def test_where_nothing_was_proven_the_rules_that_could_not_run_are_counted() -> None:
    report = replace(CURED.report, not_run={"a-rule": "needs 60 steps", "b-rule": "no signal"})
    left = open_in(replace(CURED, report=report, fix=(), verdict="not proven", after=Scores({})))

    assert left["2 rules could not run"] == "a-rule: needs 60 steps."


def test_a_healthy_cure_leaves_nothing_open_and_shows_no_empty_section() -> None:
    healthy = replace(CURED, report=Report(()), races=(), fix=(), verdict="healthy", after=Scores({}))
    file = io.StringIO()
    print_cure(healthy, file)

    assert healthy.unproven == ()
    assert "not proven" not in file.getvalue()


def test_it_is_shown_in_the_terminal_on_the_page_and_in_json(tmp_path: Path) -> None:
    odd = replace(CURED, report=Report((found("<odd>"),)), races=(), fix=(), verdict="refused", after=Scores({}))
    file = io.StringIO()
    print_cure(odd, file)

    assert "not proven, and what to look at next" in file.getvalue()
    assert "<odd>: No change of settings" in file.getvalue()
    page = odd.html(tmp_path / "cure.html").read_text("utf-8")
    assert "Not proven, and where to look" in page and "&lt;odd&gt;</b>: No change" in page
    assert odd.to_dict()["unproven"][0]["look"] == "<odd>, with its numbers."
