"""Two runs that agree are said to agree; of two that do not, the first tensor and step that differ are named."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from waiting import HANGS

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts
from torchdoctor.train.loop import LoopOptions, fit
from torchdoctor.train.repro import repeated

run_number = itertools.count()


def build(seed: int, *, fault: str = "") -> Parts:
    torch.manual_seed(seed)
    turn = next(run_number)
    x, y = torch.randn(40, 4), torch.randint(0, 2, (40,))
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
    if fault == "weights":
        model[4].bias.data += turn
    if fault == "gradient":
        passes = itertools.count(1)
        model[0].weight.register_hook(lambda g: g * (1 + 1e-3 * turn * (next(passes) == 3)))
    order = TensorBatches(x, y, 8, True, turn if fault == "order" else seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    if fault == "length":
        order = [(x[:8], y[:8])] * (1 + turn % 2)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, order, TensorBatches(x, y))


def experiment(fault: str = "", epochs: int = 2) -> Experiment:
    return Experiment(partial(build, fault=fault), epochs=epochs, fit=partial(fit, options=LoopOptions(accumulate=2)))


def test_runs_that_agree_are_said_to_agree():
    found = repeated(experiment(), apart=False)
    assert found.difference is None and found.steps == 6
    assert found.tensors > 6 * 10 and "agree bit for bit" in found.message


@pytest.mark.parametrize(
    ("fault", "step", "kind", "name"),
    [
        ("weights", 0, "weight at the start", "4.bias"),
        ("order", 1, "batch", "tensor 0"),
        ("gradient", 2, "gradient", "0.weight"),
    ],
)
def test_the_first_tensor_that_differs_is_named(fault, step, kind, name):
    found = repeated(experiment(fault), apart=False)
    assert found.difference is not None
    assert found.difference[0][:3] == (step, kind, name)
    assert f"in step {step}: {kind} {name}, of norm" in found.message and found.to_dict()["name"] == name


def test_runs_of_different_lengths_go_different_ways():
    found = repeated(experiment("length"), apart=False)
    assert "different ways" in found.message


def test_no_more_steps_are_run_than_asked_for():
    assert repeated(experiment(epochs=10_000), steps=4, apart=False).steps == 4


def test_an_experiment_that_cannot_be_sent_away_says_so():
    with pytest.raises(BadParts, match="apart=False"):
        repeated(Experiment(lambda seed: build(seed), epochs=1))


def program(tmp_path: Path, *words: str) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from torchdoctor.cli.main import main; main(sys.argv[1:])", *words],
        capture_output=True, text=True, cwd=tmp_path, timeout=HANGS, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


SETS = """
import torch

def words():
    table = {word: n for n, word in enumerate({str(i) for i in range(64)})}  # in the order of a set
    x = torch.tensor([[float(table[str(i)]), 1.0] for i in range(64)])
    return x, torch.arange(64) % 2
"""


@pytest.mark.slow
def test_the_verb_finds_what_differs_from_process_to_process(tmp_path: Path):
    (tmp_path / "mine.py").write_text(SETS)
    (tmp_path / "recipe.yaml").write_text(
        "data: {name: 'mine:words'}\nmodel: {name: mlp, args: {hidden: [4]}}\ntrain: {epochs: 2, device: cpu}\n"
    )
    code, out, err = program(tmp_path, "repro", "-c", "recipe.yaml", "--steps", "2")
    assert code == 1 and "differ first in step 1: batch tensor 0" in out, out + err
