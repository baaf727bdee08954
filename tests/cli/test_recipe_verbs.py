"""init, check and train: from no recipe at all to a judged run, on real digits."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import HANGS, until

from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Run

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "data.limit=300", "--set", "model.name=mlp", "--set", "train.threads=1", "--set", "train.device=cpu")


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {scale: standard}\noptimizer: {lr: 0.1}\ntrain: {epochs: 3}\n")
    return path


def test_init_writes_every_key_with_its_meaning_and_its_default(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    code, out, err = cli("init", path)
    assert (code, out) == (0, "") and str(path) in err
    text = path.read_text("utf-8")
    assert Recipe.load(path) == Recipe()
    described = [line for line in text.splitlines() if line.lstrip().startswith("# ")]
    assert len(described) > len(Recipe.model_fields)
    assert max(map(len, text.splitlines()[1:])) <= 110


def test_init_never_overwrites(cli: Cli, recipe: Path) -> None:
    before = recipe.read_text()
    code, _, err = cli("init", recipe)
    assert code == 2 and "exists already" in err and err.count("\n") == 1
    assert recipe.read_text() == before


def test_init_schema_prints_a_json_schema_of_recipes(cli: Cli) -> None:
    code, out, _ = cli("init", "--schema")
    schema = json.loads(out)
    assert code == 0
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert set(schema["properties"]) == set(Recipe.model_fields)


def test_check_of_a_healthy_recipe_exits_with_0(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("check", "-c", recipe, *SMALL)
    assert code == 0, out + err
    assert "rules quiet" in out


def test_check_of_a_faulty_recipe_exits_with_1_and_json_names_the_fault(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("check", "-c", recipe, *SMALL, "--set", "model.output=softmax", "--json")
    assert code == 1 and err == ""
    assert "redundant-output-activation" in [f["name"] for f in json.loads(out)["findings"]]


def test_train_writes_a_run_that_diagnose_judges_alike(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    code, out, err = cli("train", "-c", recipe, *SMALL, "--run", run, "--json")
    said = json.loads(out)
    assert code == 0, out
    assert said["run"] == str(run) and 0.5 < said["scores"]["test_score"] <= 1
    assert "training recipe: done in" in err and "\x1b" not in err
    assert {"signals.db", "recipe.yaml", "environment.json", "findings.json", "last", "best"} <= {
        path.name for path in run.iterdir()
    }
    assert Recipe.load(run / "recipe.yaml").train.epochs == 3
    code, again, _ = cli("diagnose", run, "--json")
    assert code == 0
    assert (
        json.loads(again)["findings"] == said["findings"] == json.loads((run / "findings.json").read_text())["findings"]
    )


def test_runs_get_folders_of_their_own(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    for _ in range(2):
        cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=1", "--set", "name=two words")
    first, second = sorted((tmp_path / "runs").iterdir())
    assert first.name.endswith("-two-words") and second.name == f"{first.name}-2"
    assert Run(second).trace().has("loss")


def test_a_run_is_never_written_over(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    words = ("train", "-c", recipe, *SMALL, "--set", "train.epochs=1", "--run", tmp_path / "run")
    cli(*words)
    code, _, err = cli(*words)
    assert code == 2 and "already holds a run" in err and err.count("\n") == 1


def test_resume_goes_on_where_the_last_epoch_ended(cli: Cli, recipe: Path, tmp_path: Path) -> None:
    whole, half, rest = tmp_path / "whole", tmp_path / "half", tmp_path / "rest"
    cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=4", "--run", whole)
    cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=2", "--run", half)
    cli("train", "-c", recipe, *SMALL, "--set", "train.epochs=4", "--run", rest, "--resume", half)
    weights = [(run / "last" / "model.safetensors").read_bytes() for run in (whole, rest)]
    assert weights[0] == weights[1]


def test_interrupting_keeps_what_was_recorded(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["train", "-c", str(recipe), *SMALL, "--set", "train.epochs=100000", "--run", str(run)]
    code = "import sys; from torchdoctor.cli.main import main; main(sys.argv[1:])"
    job = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    until(lambda: (run / "last").exists() or job.poll() is not None)
    job.send_signal(signal.SIGINT)
    _, err = job.communicate(timeout=HANGS)
    assert job.returncode not in (0, 1, 2, 3)
    assert f"Stopped. {run} holds what was recorded" in err and "Traceback" not in err
    assert len(Run(run).trace()["loss"]) >= 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-c", "absent.yaml"), "absent.yaml"),
        (("--set", "train.epoch=3"), "'epochs'"),
        (("--set", "train.epochs=many"), "many"),
        (("--set", "train.epochs"), "key=value"),
        (("--set", "model.name=lenet"), "lenet5"),
        (("--set", "model.name=no_such.module:Net"), "no_such"),
        (("--set", "data.root=nowhere"), "root"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "train"])
def test_each_bad_recipe_is_one_line(cli: Cli, recipe: Path, verb: str, words: tuple[str, ...], says: str) -> None:
    code, out, err = cli(verb, "-c", recipe, *words)
    assert (code, out) == (2, ""), err
    assert err.startswith("torchdoctor: ") and err.count("\n") == 1 and says in err
