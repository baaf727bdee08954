"""torchdoctor model: a line for each layer, totals, advice with numbers, and checks that find planted mistakes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--set", "data.limit=60", "--set", "train.threads=1", "--set", "train.device=cpu", "--repeats", "2")
MINE = """
import torch
from torch import nn

class Half(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1.0

    @staticmethod
    def backward(ctx, grad):
        return grad / 2

class Layer(nn.Module):
    def forward(self, x):
        return Half.apply(x)

class Net(nn.Module):
    def __init__(self, input_shape, outputs):
        super().__init__()
        self.conv, self.own, self.fc = nn.Conv2d(input_shape[0], 4, 3), Layer(), nn.Linear(4, outputs)

    def forward(self, x):
        x = x.reshape(len(x), x.shape[1], x.shape[3], x.shape[2])
        return self.fc(self.own(self.conv(x)).mean((2, 3)))
"""


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.yaml"
    path.write_text("data: {batch_size: 16}\n")
    return path


def test_each_layer_has_its_line_and_the_totals_are_told(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("model", "-c", recipe, *SMALL, "--no-advice")
    assert (code, err) == (0, "") and "\x1b" not in out
    lines = [line.split() for line in out.splitlines()]
    assert lines[0][:5] == ["lenet5", "on", "digits:", "1×8×8,", "batches"]
    conv2 = next(line for line in lines if line and line[0] == "conv2")
    assert conv2[1:6] == ["Conv2d", "16×4×4", "2,416", "76.8", "k"] and "8×8" in conv2
    assert next(line for line in lines if line and line[0] == "total")[1] == "21,386"
    assert "21,386 of 21,386 parameters are trained" in out and "What another" not in out


def test_advice_has_numbers_the_fix_its_code_and_the_override(cli: Cli, recipe: Path) -> None:
    code, out, _ = cli("model", "-c", recipe, *SMALL)
    assert code == 0
    (line,) = [line for line in out.splitlines() if "global average pooling" in line]
    assert "parameters 21,386 to 2,742 (-87%), FLOPs 133 k to 96.3 k (-28%), time " in line
    assert "fix: use-global-pooling" in out and "nn.AdaptiveAvgPool2d(1)" in out
    assert "--set model.args.head=global" in out and "does not apply. The model has no wide convolution" in out
    assert cli("model", "-c", recipe, *SMALL, "--set", "model.args.head=global", "--json")[0] == 0


def test_json_says_all_of_it(cli: Cli, recipe: Path) -> None:
    code, out, err = cli("model", "-c", recipe, *SMALL, "--json", "--set", "model.freeze=[conv1]")
    said = json.loads(out)
    assert (code, err) == (0, "") and said["model"] == "lenet5" and said["inputs"] == [[16, 1, 8, 8]]
    assert said["parameters"] == 21_386 == sum(layer["parameters"] for layer in said["layers"])
    assert said["trainable"] == 21_386 - 156 and said["train_reached"] == said["eval_reached"] == 21_386
    assert set(said["layers"][0]) == {
        "name", "kind", "output", "parameters", "trainable", "flops", "kept_bytes", "seconds", "field", "passes"
    }  # fmt: skip
    assert {s["remedy"]["fix"] for s in said["savings"]} >= {"use-global-pooling", "use-depthwise"}
    assert "faults" not in said


def test_frozen_layers_are_marked(cli: Cli, recipe: Path) -> None:
    _, out, _ = cli("model", "-c", recipe, *SMALL, "--no-advice", "--set", "model.freeze=all-but-head")
    assert "850 of 21,386 parameters are trained" in out and "156 *" in out and "frozen" in out


def test_a_text_model_has_no_field_and_nothing_to_pool(
    cli: Cli, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_texts.py").write_text(
        "import torch\ndef texts():\n    return torch.randint(0, 30, (80, 7)), torch.randint(0, 3, (80,))\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    words = ("--set", "data.name=mine_texts:texts", "--set", "model.name=gru", "--json")
    said = json.loads(cli("model", "-c", recipe, *SMALL, *words)[1])
    assert [layer["kind"] for layer in said["layers"]] == ["Embedding", "GRU", "Dropout", "Linear"]
    assert all(layer["field"] is None for layer in said["layers"]) and said["savings"] == []
    assert said["flops"] > 0


def test_check_of_our_own_models_finds_nothing(cli: Cli, recipe: Path) -> None:
    code, out, _ = cli("model", "-c", recipe, *SMALL, "--no-advice", "--check")
    assert code == 0 and "Gradients agree" in out


def test_check_finds_a_wrong_backward_and_exchanged_sides(
    cli: Cli, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_net.py").write_text(MINE)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    words = ("--no-advice", "--check", "--set", "model.name=mine_net:Net")
    code, out, _ = cli("model", "-c", recipe, *SMALL, *words)
    assert code == 1
    assert "Layer 'own' (Layer): backward gives" in out and "Layer 'conv' sees height and width exchanged" in out
    code, out, _ = cli("model", "-c", recipe, *SMALL, *words, "--json")
    assert code == 1 and len(json.loads(out)["faults"]) == 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--set", "model.name=resnet19"), "resnet18"),
        (("--set", "model.dropout=1.5"), "model.dropout = 1.5"),
        (("--set", "model.freeze=[conv3]"), "Did you mean 'conv2'?"),
        (("--set", "model.pretrained=nowhere.pt"), "no file or checkpoint 'nowhere.pt'"),
        (("--set", "model.name=gru"), "reads token ids"),
        (("--repeats", "0"), "--repeats"),
    ],
)
def test_what_cannot_be_shown_is_told(cli: Cli, recipe: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = cli("model", "-c", recipe, *words)
    assert (code, out) == (2, "") and says in err
