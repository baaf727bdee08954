from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from torchdoctor.cli.main import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command line in this process; gives (exit code, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is a new one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sound run on digits, for verbs that look at one. Nobody may write there."""
    from torchdoctor.recipe.schema import Recipe
    from torchdoctor.train.run import train

    recipe = Recipe.from_dict({
        "data": {"scale": "standard"}, "optimizer": {"lr": 0.05, "momentum": 0.9},
        "train": {"epochs": 10, "device": "cpu", "threads": 1},
    })  # fmt: skip
    return train(recipe, tmp_path_factory.mktemp("runs") / "lenet").folder
