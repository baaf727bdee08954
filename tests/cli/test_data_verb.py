"""`torchdoctor data`: exit codes, JSON, the run it keeps, the page and the contact sheet it draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from torchdoctor.record.run import Run

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {limit: 500, scale: standard}\n")
    return path


def test_sound_data_exit_with_0_and_are_told_in_tables(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("data", "-c", recipe)
    assert code == 0, out + err
    assert "1 x 8 x 8" in out and "A small model" in out and "No fault found" in out and "\x1b" not in out
    assert "0 crashed" in out and "val_loss" not in out  # what rules of training lack is not told here
    assert "examining digits: done" in err


def test_a_finding_exits_with_1_and_json_page_and_run_say_the_same(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    flip = "data.augment=[{flip: {horizontal: 0, vertical: 1}}]"
    words = ("--set", flip, "--json", "--html", "page.html", "--run", "kept")
    code, out, _ = cli("data", "-c", recipe, *words)
    said = json.loads(out)
    assert code == 1 and "destructive-augmentation" in [f["name"] for f in said["findings"]]
    samples = said["measured"]["samples"]["train"]
    assert 490 < samples <= 500 and said["facts"]["parts"]["train"]["samples"] == samples
    assert said["measured"]["label_kept"]["flip"] < 0.5
    assert "destructive-augmentation" in (tmp_path / "page.html").read_text("utf-8")
    assert Run(tmp_path / "kept").trace().value("samples", "train") == samples
    code, again, _ = cli("diagnose", "kept", "--json")
    assert code == 1 and json.loads(again)["findings"] == said["findings"]


def test_a_contact_sheet_is_drawn_without_examining(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    code, out, err = cli("data", "-c", recipe, "--set", "data.augment=[rotate, erasing]", "--contact-sheet", "s.png")
    assert (code, out) == (0, "") and "Contact sheet: s.png" in err and "examining" not in err
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width > 800


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--contact-sheet", "s.png"), "data.augment names no step"),
        (("--set", "data.name=wine", "--set", "data.augment=[noise]", "--contact-sheet", "s.png"), "no pictures"),
        (("--set", "data.augment=[flipp]"), "'flip'"),
        (("--set", "data.root=nowhere"), "root"),
    ],
)
def test_what_cannot_be_done_is_one_line(cli: Cli, recipe: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = cli("data", "-c", recipe, *words)
    assert (code, out) == (2, ""), err
    assert err.startswith("torchdoctor: ") and err.count("\n") == 1 and says in err
