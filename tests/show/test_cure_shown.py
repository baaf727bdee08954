"""A cure in the terminal and on the page, from the engine's own objects."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import pytest

from torchdoctor.cures.cure import Cure, Scores
from torchdoctor.cures.effect import Effect
from torchdoctor.cures.race import Race
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.recipe.schema import Recipe
from torchdoctor.show.chart import WIDTH, intervals
from torchdoctor.show.proof import print_cure
from torchdoctor.show.words import sentence

RATE = Remedy("set-learning-rate", {"lr": 0.1})
SCALE = Remedy("standardize-inputs")
FINDING = Finding(
    "The rate is too low.", (), (0, 99), 0.9, Severity.ERROR, {}, (RATE,), "low-learning-rate", "cause",
    "hyperparameters", "H02",
)  # fmt: skip
TOGETHER = Race(
    (RATE, SCALE), (), ("low-learning-rate", "unscaled-inputs"), {0: 0.9, 1: 0.92, 2: 0.91}, {0: 0.1, 1: 0.12, 2: 0.1},
    Effect(0.803, 0.75, 0.86, 3), 0.25, 3.0, "all together, since faults hide one another",
)  # fmt: skip
LEFT_OUT = replace(
    TOGETHER, changed=(SCALE,), on_top_of=(RATE,), effect=Effect(0.01, -0.02, 0.04, 3), why="is it missed?"
)
QUICK = replace(
    TOGETHER, changed=(SCALE,), effect=Effect(0.5, -math.inf, math.inf, 1), share=0.1, with_it={0: math.nan}
)
SICK = Recipe.from_dict({"name": "sick", "optimizer": {"lr": 1e-5}})
EXPERIMENT = SICK.experiment()
CURED = Cure(
    Report((FINDING,), ("a",)), (TOGETHER, LEFT_OUT, QUICK), "cured", "set-learning-rate: +0.803.", (RATE,),
    Scores({0: 0.1, 1: 0.12}), Scores({0: 0.95, 1: 0.97}), SICK.patched({"optimizer.lr": 0.1}).experiment(), EXPERIMENT,
    cost=2.5, seconds=41.2,
)  # fmt: skip


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
    assert "<script" not in page
    assert page.count('class="race"') == 3 and "1 quick trial" in page
    assert '<span class="red">-  lr: 1.0e-05</span>' in page
    assert "0.110" in page and "0.960" in page


def test_intervals_share_an_axis_that_holds_zero_and_infinite_bounds_end_at_its_edge() -> None:
    zero, ((mean, low, high), (_, left, right)) = intervals([(0.5, 0.0, 1.0), (0.2, -math.inf, math.inf)])
    assert 0 < zero == low < mean < high < WIDTH
    assert (left, right) == (0.0, WIDTH)


def test_sentences_have_a_capital_and_one_full_stop() -> None:
    assert [sentence(t) for t in ("does it help?", "it does", "Done.", "")] == [
        "Does it help?",
        "It does.",
        "Done.",
        "",
    ]
