"""A cure in the terminal and on the page, from the engine's own objects."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from cured import CURED, EXPERIMENT, LEFT_OUT, QUICK, TOGETHER

from torchdoctor.cures.result import Cure, Scores
from torchdoctor.show.proof import print_cure
from torchdoctor.show.words import sentence


def printed(cure: Cure) -> str:
    file = io.StringIO()
    print_cure(cure, file)
    return file.getvalue()


def test_findings_races_verdict_scores_and_change_follow_each_other() -> None:
    text = printed(CURED)
    parts = [
        "error[low-learning-rate]",
        "races, ",
        "cured: set-learning-rate: +0.803.",
        "validation score",
        "-  lr: 1.0e-05",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "+  lr: 0.1" in text and "\x1b" not in text


def test_a_race_shows_scores_effect_interval_and_what_it_was_raced_beside() -> None:
    text = printed(CURED)
    assert "proven set-learning-rate(lr=0.1) + standardize-inputs  0.107 → 0.91" in text
    assert "+0.803 [+0.750, +0.860] on 3 seeds, 25% of a run. All together, since faults hide one another." in text
    assert "beside set-learning-rate. Is it missed?" in text
    assert text.count("proven ") == 1


def test_an_interrupted_cure_says_so_beside_its_verdict(tmp_path: Path) -> None:
    stopped = replace(CURED, interrupted=True)
    assert "cured, interrupted: set-learning-rate" in printed(stopped)
    assert "cured, interrupted</span>" in stopped.html(tmp_path / "cure.html").read_text("utf-8")


def test_quick_trials_on_one_seed_are_counted_not_listed() -> None:
    assert "1 quick trial on one seed, to choose what to race; 2.5 training runs beside the first, 41 s" in printed(
        CURED
    )
    assert "on 1 seed" not in printed(CURED)


def test_before_and_after_stand_side_by_side_with_their_mean() -> None:
    rows = [line.split() for line in printed(CURED).splitlines()]
    assert ["seed", "0", "0.100", "0.950"] in rows
    assert ["mean", "0.110", "0.960"] in rows


def test_code_is_shown_where_there_is_no_recipe() -> None:
    own = replace(CURED, original=replace(EXPERIMENT, recipe=None), experiment=replace(EXPERIMENT, recipe=None))
    text = printed(own)
    assert "optimizer" in text and "lr=0.1" in text and "@@" not in text


@pytest.mark.parametrize("verdict", ["healthy", "refused", "not proven"])
def test_without_a_fix_there_is_a_verdict_and_nothing_to_change(verdict: str, tmp_path: Path) -> None:
    none = replace(
        CURED, verdict=verdict, reason="Because of <this>.", fix=(), races=(), after=Scores({}),
        useless={"low-learning-rate": "it cannot be used [here]"},
    )  # fmt: skip
    text = printed(none)
    assert f"{verdict}: Because of <this>." in text
    assert "low-learning-rate: it cannot be used [here]" in text
    assert "what to change" not in text and "races" not in text
    page = none.html(tmp_path / "cure.html").read_text("utf-8")
    assert "Because of &lt;this&gt;." in page and "What to change" not in page


def test_the_page_holds_the_proof_and_escapes_what_failed(tmp_path: Path) -> None:
    failed = replace(TOGETHER, errors=("RuntimeError: <script>x</script>",))
    page = replace(CURED, races=(failed, LEFT_OUT, QUICK)).html(tmp_path / "cure.html").read_text("utf-8")
    assert "<script>x" not in page and 'data-chart="races"' in page
    assert page.count('class="race"') == 3 and "to choose what to race (1)" in page
    assert '<span class="red">-  lr: 1.0e-05</span>' in page
    assert "0.110" in page and "0.960" in page


def test_sentences_have_a_capital_and_one_full_stop() -> None:
    assert [sentence(t) for t in ("does it help?", "it does", "Done.", "")] == [
        "Does it help?",
        "It does.",
        "Done.",
        "",
    ]
