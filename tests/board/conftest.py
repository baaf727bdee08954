"""A folder with real runs, and a board over an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from boards import COOKIE, SICK, TOKEN, example_cure, served, visitor, written

from torchdoctor.board.folder import CURE
from torchdoctor.cli.main import main
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.run import train

LENET = {
    "name": "lenet", "data": {"name": "digits", "batch_size": 32, "scale": "standard", "limit": 400,
             "augment": ["shift"]},
    "model": {"name": "lenet5"}, "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9},
    "train": {"epochs": 5, "threads": 1},
}  # fmt: skip


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cure, in it the sick and the cured run, and beside it a child of the cured one."""
    root = tmp_path_factory.mktemp("board") / "runs"
    sick = Recipe.from_dict(SICK)
    report = train(sick, root / "demo" / "sick").report
    (root / "demo" / CURE).write_text(example_cure(sick, report).to_json(), "utf-8")
    train(sick.patched({"optimizer.lr": 0.05, "data.scale": "standard"}), root / "demo" / "cured")
    written(root / "child", facts={"parent": "/elsewhere/runs/demo/cured", "stage": "evaluation"})
    return root


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, its evaluation and its explanation, and an examination of its data; beside it the pages that
    these wrote, in Chinese: KIND.html."""
    root = tmp_path_factory.mktemp("stages") / "runs"
    recipe = Recipe.from_dict(LENET)
    train(recipe, root / "lenet")
    (root.parent / "recipe.yaml").write_text(recipe.to_yaml(), "utf-8")
    for words in (
        ("evaluate", root / "lenet", "--quick", "--out", root / "lenet-evaluation"),
        ("explain", root / "lenet", "--sample", "3", "--out", root / "lenet-explanation"),
        ("data", "-c", root.parent / "recipe.yaml", "--run", root / "digits"),
    ):
        with pytest.raises(SystemExit) as end:
            page = ("--lang", "zh", "--html", str(root.parent / f"{words[0]}.html"))
            main([*map(str, words), *page, *(["--fail-on", "error"] if words[0] != "explain" else [])])
        assert not end.value.code
    return root


@pytest.fixture
def board(tmp_path: Path) -> Iterator[tuple[Path, httpx.Client]]:
    """An empty folder and a client that has the cookie."""
    root = tmp_path / "runs"
    root.mkdir()
    with served(root) as url, visitor(url, cookies={COOKIE: TOKEN}) as client:
        yield root, client
