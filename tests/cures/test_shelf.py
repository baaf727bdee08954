"""What lies on the shelf of a cure is read back to the last bit, and only whole runs lie there."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from torchdoctor.cures.arm import Length, Outcome
from torchdoctor.cures.runner import Job
from torchdoctor.cures.shelf import Shelf
from torchdoctor.cures.stored import is_kept, keep_arm, outcome_of
from torchdoctor.errors import BadRun
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import Run, Writer

ODD = [0.1 + 0.2, math.nan, math.inf, -0.0]
TRACE = Trace(
    {
        "loss": {"": Series.of(ODD)},
        "grad_norm": {"a": Series.of([1.0, 2.0], every=5), "b": Series.of([3.0]), "c": Series.of([])},
        "unit_mean": {"a": Series.of(np.arange(6).reshape(2, 3))},
    },
    {"modules": {"": "Sequential"}, "steps": 4},
)
SICK = Experiment(lambda seed: None, epochs=3)  # type: ignore[arg-type, return-value]
RATE = Remedy("set-learning-rate", {"factor": 0.1})


def arm(seed: int = 0, watched: bool = True, **more: object) -> Job:
    return Job(SICK, (RATE,), seed, Length(3), watched, **more)  # type: ignore[arg-type]


def outcome(trace: Trace | None = TRACE) -> Outcome:
    numbers = {"epoch": [0.0, 1.0], "val_score": [0.5, 1 / 3]}
    return Outcome(1 / 3, 40, 400, 2, 1.5, 200, "", numbers, trace, True)


def test_an_arm_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    keep_arm(arm(), outcome(), SICK, 0.25, Shelf(tmp_path))
    read = outcome_of(arm(), Shelf(tmp_path))

    assert read == outcome()
    assert read is not None and read.trace is not None
    assert read.trace.facts == TRACE.facts
    np.testing.assert_array_equal(read.trace["loss"].values, ODD)
    for signal, subject in (("grad_norm", "a"), ("grad_norm", "b"), ("unit_mean", "a")):
        was, now = TRACE.data[signal][subject], read.trace.data[signal][subject]
        np.testing.assert_array_equal(now.steps, was.steps)
        np.testing.assert_array_equal(now.values, was.values)


def test_other_seeds_lengths_and_labels_are_other_arms(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    keep_arm(arm(), outcome(), SICK, 0.25, shelf)

    assert is_kept(arm(), shelf)
    assert not is_kept(arm(seed=1), shelf)
    assert not is_kept(arm(exchanged=True), shelf)
    assert not is_kept(Job(SICK, (), 0, Length(3), True), shelf)
    assert not is_kept(Job(SICK, (RATE,), 0, Length(3, at_most=4), True), shelf)


def test_an_arm_that_was_not_watched_is_a_run_of_what_its_loop_logged(tmp_path: Path) -> None:
    keep_arm(arm(1, watched=False), outcome(None), SICK, 0.25, Shelf(tmp_path))
    run = Run(tmp_path / "001-set-learning-rate-seed-1")

    assert outcome_of(arm(1, watched=False), Shelf(tmp_path)) == outcome(None)
    assert run.trace()["val_score"].steps.tolist() == [19, 39]
    assert {name: run.facts[name] for name in ("parent", "fix", "seed", "share", "score")} == {
        "parent": str(tmp_path), "fix": "set-learning-rate", "seed": 1, "share": 0.25, "score": 1 / 3
    }  # fmt: skip


def test_what_was_cut_short_while_it_was_written_is_no_run(tmp_path: Path) -> None:
    keep_arm(arm(), outcome(), SICK, 0.25, Shelf(tmp_path))
    Writer(tmp_path / ".002-unchanged-seed-0").commit()
    shelf = Shelf(tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["001-set-learning-rate-seed-0"]
    assert outcome_of(arm(seed=1), shelf) is None


def test_a_damaged_run_is_left_alone_and_made_again(tmp_path: Path) -> None:
    keep_arm(arm(), outcome(), SICK, 0.25, Shelf(tmp_path))
    (tmp_path / "001-set-learning-rate-seed-0" / "signals.db").write_bytes(b"not a database")
    shelf = Shelf(tmp_path)
    keep_arm(arm(), outcome(), SICK, 0.25, shelf)

    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "001-set-learning-rate-seed-0",
        "002-set-learning-rate-seed-0",
    ]
    assert outcome_of(arm(), Shelf(tmp_path)) == outcome()


def test_without_a_folder_nothing_is_kept() -> None:
    shelf = Shelf()
    shelf.begin({"budget": "3x"})

    assert keep_arm(arm(), outcome(), SICK, 0.25, shelf) == outcome()
    assert not is_kept(arm(), shelf)


def test_what_was_asked_for_is_kept_and_a_damaged_note_is_one_line(tmp_path: Path) -> None:
    Shelf(tmp_path / "new").begin({"budget": "3x", "seeds": 3}, "name: sick\n")

    assert Shelf(tmp_path / "new").asked == {"budget": "3x", "seeds": 3}
    assert (tmp_path / "new" / "recipe.yaml").read_text() == "name: sick\n"
    (tmp_path / "new" / "asked.json").write_text("{")
    with pytest.raises(BadRun, match="is damaged"):
        Shelf(tmp_path / "new")
