"""train as a verb: resuming, what progress says, what is refused before there is a run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "data.limit=200", "--set", "model.name=mlp", "--set", "train.threads=1", "--set", "train.device=cpu")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {scale: standard}\noptimizer: {lr: 0.1}\ntrain: {epochs: 1}\n")
    return path


@pytest.mark.parametrize("given", ["run", "run/last"])
def test_resume_takes_a_run_or_one_of_its_checkpoints(cli: Cli, recipe: Path, tmp_path: Path, given: str) -> None:
    cli("train", "-c", recipe, *SMALL, "--run", "run")
    code, out, err = cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=2", "--run", "more", "--resume", given)
    assert code == 0, out + err
    assert (tmp_path / "more" / "last").is_dir()


def test_a_wrong_resume_leaves_no_folder_in_the_way_of_the_corrected_command(cli: Cli, recipe: Path) -> None:
    words = ("train", "-c", recipe, *SMALL, "--set", "train.epochs=2", "--run", "more")
    cli("train", "-c", recipe, *SMALL, "--run", "run")
    for wrong in ("nowhere", recipe.parent):
        code, _, err = cli(*words, "--resume", wrong)
        assert code == 2 and "Give a run folder, or one of its checkpoints." in err and not Path("more").exists()
    code, out, err = cli(*words, "--resume", "run")
    assert code == 0, out + err


def test_resuming_what_is_finished_is_an_error_and_not_a_clean_bill(cli: Cli, recipe: Path) -> None:
    cli("train", "-c", recipe, *SMALL, "--run", "run")
    code, out, err = cli("train", "-c", recipe, *SMALL, "--run", "more", "--resume", "run")
    assert (code, out) == (2, "") and "train.epochs=2" in err and not Path("more").exists()


def test_progress_says_epochs_what_is_waited_for_and_what_it_costs(
    cli: Cli, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchdoctor.cli import progress

    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    _, _, err = cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=3", "--price-per-hour", "2")
    lines = [line for line in err.splitlines() if line.startswith("training recipe: ")]
    assert "epoch 3/3, val_score 0." in lines[-2] and "% waiting for data, cost 0.00" in lines[-2]
    assert lines[-2].startswith("training recipe: 12/12 steps")


@pytest.mark.filterwarnings("ignore")  # TensorBoard's own imports
def test_a_place_for_tensorboard_that_is_a_file_is_refused_before_training(cli: Cli, recipe: Path) -> None:
    code, _, err = cli("train", "-c", recipe, *SMALL, "--run", "run", "--tensorboard", recipe)
    assert code == 2 and "recipe.yaml is a file" in err and not Path("run").exists()
    Path("board").mkdir()
    Path("board", "events.out.tfevents.1.other").write_bytes(b"")
    code, _, err = cli("train", "-c", recipe, *SMALL, "--run", "run", "--tensorboard", "board")
    assert code == 2 and "board already shows a run" in err and not Path("run").exists()


@pytest.mark.parametrize("page", ["recipe.yaml/page.html", "."])
def test_a_page_that_could_not_be_written_is_refused_before_training(cli: Cli, recipe: Path, page: str) -> None:
    code, out, err = cli("train", "-c", recipe, *SMALL, "--run", "run", "--html", page)
    assert (code, out) == (2, "") and err.count("\n") == 1 and "Cannot write" in err and not Path("run").exists()


def test_a_run_goes_to_tensorboard_while_it_is_trained(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    code, _, err = cli(
        "train", "-c", recipe, *SMALL, "--set", "train.epochs=2", "--run", "run", "--tensorboard", "board"
    )
    assert code == 0 and "TensorBoard: tensorboard --logdir board" in err
    reader = EventAccumulator(str(tmp_path / "board"), size_guidance={"histograms": 0})
    reader.Reload()
    assert len(reader.Histograms("weights/fc1.weight")) == 2 and reader.Tags()["graph"]
