"""`torchdoctor cure` on real digits, small enough to take seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from torchdoctor.recipe.schema import Recipe

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "data.limit=400", "--set", "model.name=mlp", "--set", "train.threads=1", "--set", "train.device=cpu")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "sick.yaml"
    path.write_text("data: {scale: standard}\noptimizer: {lr: 1.0e-6}\ntrain: {epochs: 8}\n")
    return path


def test_a_sick_recipe_is_cured_and_what_is_written_can_be_trained(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, text, err = cli("cure", "-c", recipe, *SMALL, "--out", out, "--json")
    said = json.loads(text)
    assert code == 1, err
    assert said["verdict"] == "cured"
    assert said["after"]["mean"] > said["before"]["mean"] + 0.3
    assert "cure of sick: done in" in err and str(out / "report.html") in err
    assert "low-learning-rate" in (out / "report.html").read_text("utf-8")
    cured = Recipe.load(out / "recipe-cured.yaml")
    assert cured.optimizer.lr > 1e-6
    again, text, err = cli("cure", "--resume", out, "--json")
    told = json.loads(text)
    assert (again, told["races"], told["after"]) == (1, said["races"], said["after"]), err
    code, text, _ = cli("train", "-c", out / "recipe-cured.yaml", "--run", tmp_path / "run", "--json")
    assert code == 0 and json.loads(text)["scores"]["val_score"] > 0.5


def test_a_healthy_recipe_is_left_alone_and_exits_with_0(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    healthy = ("--set", "optimizer.lr=0.1", "--set", "optimizer.momentum=0.9", "--set", "train.epochs=6")
    code, text, _ = cli("cure", "-c", recipe, *SMALL, *healthy)
    assert code == 0, text
    assert "healthy: " in text and "races" not in text
    left = {p.name for p in next((tmp_path / "runs").iterdir()).iterdir()}
    runs = {"001-examined-seed-0", "002-unchanged-seed-0"}
    assert left == {"report.html", "cure.json", "asked.json", "recipe.yaml", *runs}


def test_a_budget_that_cannot_be_read_is_one_line(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("cure", "-c", recipe, "--budget", "much")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and "'much'" in err and "3x" in err


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "-c RECIPE, or --resume FOLDER"),
        (("-c", "sick.yaml", "--resume", "old"), "-c RECIPE, or --resume FOLDER"),
        (("--resume", "old"), "no cure to go on with"),
        (("-c", "sick.yaml", "--on", "moon"), "--on moon is no cluster"),
        (("--resume", "old", "--set", "train.epochs=3"), "--set and --out are for a new cure"),
    ],
)
def test_what_is_neither_a_new_cure_nor_one_to_go_on_with_is_one_line(
    cli: Cli, recipe: Path, words: tuple[str, ...], what: str
) -> None:
    code, out, err = cli("cure", *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1 and what in err


def test_a_place_that_is_a_file_is_refused_before_anything_is_trained(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    code, _, err = cli("cure", "-c", recipe, *SMALL, "--out", tmp_path / "out")
    assert code == 2 and "is a file. Give another folder" in err and "cure of" not in err


def test_an_earlier_cure_is_not_written_over(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text("mine")
    code, _, err = cli("cure", "-c", recipe, *SMALL, "--out", tmp_path / "out")
    assert code == 2 and "already holds report.html" in err
    assert (tmp_path / "out" / "report.html").read_text() == "mine"
