"""A run is evaluated as it was trained: on the same data, without files that only the training needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from torchdoctor.errors import BadRun
from torchdoctor.evaluate.opened import Opened
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.run import train

ROWS = [f"{i % 7},{i % 3},{'pq'[i % 2]}" for i in range(60)]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    write(tmp_path, ROWS)
    return Recipe.from_dict({
        "data": {"name": "table", "root": str(tmp_path / "t.csv"), "target": "y", "scale": "standard"},
        "model": {"name": "mlp", "args": {"hidden": [4]}}, "train": {"epochs": 1, "device": "cpu"},
    })  # fmt: skip


def write(folder: Path, rows: list[str]) -> None:
    (folder / "t.csv").write_text("a,b,y\n" + "\n".join(rows) + "\n")


@pytest.mark.parametrize("rows", [[*ROWS, "9,9,p"], [row.replace("p", "z") for row in ROWS]], ids=["more", "renamed"])
def test_data_that_changed_since_training_are_refused(recipe: Recipe, tmp_path: Path, rows: list[str]) -> None:
    train(recipe, tmp_path / "run")
    assert len(Opened.of(tmp_path / "run").naming.classes) == 2
    write(tmp_path, rows)
    with pytest.raises(BadRun, match="are not those it was trained on"):
        Opened.of(tmp_path / "run")


def test_what_was_pre_trained_may_be_gone(recipe: Recipe, tmp_path: Path) -> None:
    train(recipe, tmp_path / "first")
    second = train(recipe.patched({"model.pretrained": str(tmp_path / "first")}), tmp_path / "second")
    shutil.rmtree(tmp_path / "first")
    assert Opened.of(second.folder).recipe.model.pretrained == str(tmp_path / "first")
