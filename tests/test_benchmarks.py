"""The benchmarks are programs too: each can be loaded, takes its turns right, and evaluates what it trained."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
import torch

from benchmarks.cures import PAGE, Kept
from benchmarks.cures_table import placed
from benchmarks.real_runs import RECIPES, measured
from benchmarks.turns import BLOCK, Arm, interval, take_turns

FOLDER = Path(__file__).parent.parent / "benchmarks"
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("[a-z]*.py")))
def test_a_benchmark_can_be_loaded(name: str) -> None:
    pytest.importorskip("starlette") if name == "board" else None
    assert import_module(f"benchmarks.{name}").__doc__


def counting(of: dict[str, list[int]], name: str, steps: int) -> Arm:
    def work(arm: Arm) -> None:
        arm.begin()
        for step in range(arm.steps):
            of.setdefault("order", []).append(ord(name))
            arm.stepped(step)
        arm.end()

    return Arm(work, steps, Path(), torch.get_num_threads(), "wall")


def test_arms_take_turns_of_whole_blocks_and_none_is_always_first() -> None:
    seen: dict[str, list[int]] = {}
    arms = [counting(seen, name, 3 * BLOCK) for name in "ab"]
    take_turns(arms)
    turns = [chr(seen["order"][i]) for i in range(0, 6 * BLOCK, BLOCK)]
    assert turns == ["a", "b", "b", "a", "a", "b"]
    assert [len(arm.seconds) for arm in arms] == [3, 3]


def test_what_an_arm_raises_reaches_the_one_who_waits() -> None:
    def work(arm: Arm) -> None:
        raise ValueError("of the arm")

    with pytest.raises(ValueError, match="of the arm"):
        take_turns([Arm(work, BLOCK, Path(), torch.get_num_threads(), "cpu")])


def test_the_interval_of_a_ratio_holds_the_ratio() -> None:
    low, high = interval([2.0, 2.2, 1.8, 2.1] * 5, [1.0, 1.1, 1.0, 0.9] * 5)
    assert low < 2.025 < high < 2.5


@pytest.mark.skipif(not (DATA / "tabular_penguins").exists(), reason="needs the real data sets beside the project")
def test_a_real_run_is_trained_and_evaluated_beside_its_baselines(tmp_path: Path) -> None:
    _, scores = measured(RECIPES / "penguins.yaml", DATA, tmp_path)
    assert {"test accuracy", "majority class", "logistic regression"} <= set(scores)


def test_tables_of_cures_are_put_between_their_marks_and_the_page_has_both() -> None:
    page = (FOLDER.parent / PAGE).read_text("utf-8")

    for name in ("faulty", "healthy"):
        once = placed(page, name, "| a new table |")
        assert once.count("| a new table |") == 1 and placed(once, name, "| a new table |") == once
        assert once.split(f"<!-- {name} -->")[0] == page.split(f"<!-- {name} -->")[0]
        assert once.split(f"<!-- end of {name} -->")[1] == page.split(f"<!-- end of {name} -->")[1]
    with pytest.raises(ValueError, match="no <!-- other -->"):
        placed(page, "other", "")


def test_what_was_measured_of_a_cure_is_kept_part_by_part_and_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.cures.KEPT", tmp_path)
    assert Kept("case", ()).part("cure", lambda: {"cost": 2.0}) == {"cost": 2.0}

    assert Kept("case", ()).part("cure", lambda: {"cost": 9.0}) == {"cost": 2.0}
    assert Kept("case", ("cure",)).part("cure", lambda: {"cost": 9.0}) == {"cost": 9.0}
    assert [p.name for p in tmp_path.iterdir()] == ["case.json"]
