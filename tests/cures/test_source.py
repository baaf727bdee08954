"""The fix in the user's own files: a patch that applies, or the line to look at; no file is changed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from torchdoctor.cures.source import in_source
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.recipe.schema import Recipe

OWN = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts

SIZE = 4


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        return self.fc(x).softmax(1)


def build(seed):
    torch.manual_seed(seed)
    model = Net()
    data = TensorDataset(torch.rand(12, 3) * 100, torch.arange(12) % 2)
    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9, lr=0.5)  # ä, of two bytes
    return Parts(model, nn.CrossEntropyLoss(), optimizer, DataLoader(data, batch_size=SIZE, shuffle=True))


def fit(parts, log):
    for x, y in parts.train:
        parts.loss_fn(parts.model(x), y).backward()
        parts.optimizer.step()


experiment = Experiment(build, epochs=10, fit=fit)
"""
RATE, SIZE = Remedy("set-learning-rate", {"factor": 0.1}), Remedy("set-batch-size", {"batch_size": 8})
SOFTMAX, LOOP = Remedy("remove-output-activation"), Remedy("use-own-loop")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path / "own.py", OWN)


def written(path: Path, text: str) -> Any:
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location("own", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["own"] = module  # where inspect looks for the file of a class
    spec.loader.exec_module(module)
    return module


def test_a_number_that_stands_in_the_source_once_is_patched_and_the_patch_applies(own: Any, tmp_path: Path) -> None:
    numbers, before = torch.get_rng_state(), (tmp_path / "own.py").read_text("utf-8")
    found = in_source(own.experiment, [RATE, Remedy("more-epochs", {"factor": 2.0})])

    assert found.said == ("set-learning-rate", "more-epochs") and not found.places
    assert (
        "+    optimizer = torch.optim.SGD(model.parameters(), momentum=0.9, lr=0.05)  # ä, of two bytes" in found.diff
    )
    assert "+experiment = Experiment(build, epochs=20, fit=fit)" in found.diff
    assert (tmp_path / "own.py").read_text("utf-8") == before
    assert torch.equal(torch.get_rng_state(), numbers)
    subprocess.run(["git", "apply", "-"], input=found.diff.encode(), cwd=tmp_path, check=True)
    cured = written(tmp_path / "own.py", (tmp_path / "own.py").read_text("utf-8"))
    assert cured.build(0).optimizer.param_groups[0]["lr"] == 0.05
    assert cured.experiment.epochs == 20


def test_a_constant_of_the_module_is_patched_where_it_is_set(own: Any) -> None:
    found = in_source(own.experiment, [SIZE])

    assert "-SIZE = 4\n+SIZE = 8\n" in found.diff


def test_a_number_that_stands_there_twice_is_left_to_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    twice = written(tmp_path / "own.py", OWN + "\nother = dict(lr=0.5)\n")
    found = in_source(twice.experiment, [RATE])

    assert (found.diff, found.said) == ("", ())
    assert found.places == {"set-learning-rate": "own.py:21, build"}


def test_what_is_no_number_is_told_with_file_line_and_name(own: Any) -> None:
    found = in_source(own.experiment, [SOFTMAX, LOOP, RATE])

    assert found.places == {"remove-output-activation": "own.py:12, Net", "use-own-loop": "own.py:29, fit"}
    assert found.said == ("set-learning-rate",)


def test_code_without_a_file_and_recipes_have_no_patch() -> None:
    space: dict[str, Any] = {"__name__": "nowhere"}
    exec(OWN, space)
    recipe = Recipe.from_dict({"model": {"name": "mlp"}, "train": {"device": "cpu"}}).experiment()

    assert in_source(space["experiment"], [RATE]).diff == ""
    assert in_source(recipe, [RATE]).diff == ""
    assert in_source(Experiment(space["build"], epochs=1), []).places == {}
