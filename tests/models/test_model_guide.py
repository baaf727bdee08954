"""The guide to models runs: every recipe of docs/models.md builds and trains a step, every example is executed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from torchdoctor.models.names import MODELS
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.recipe.schema import Recipe

GUIDE = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
PICTURES = "import torch\ndef pictures():\n    return torch.rand(20, 3, 64, 64), torch.arange(20) % 10\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_recipe_builds_and_trains_a_step(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    (tmp_path / "my_pictures.py").write_text(PICTURES)
    save_file(resnet20((1, 8, 8), 4).state_dict(), tmp_path / "learnt.safetensors")
    patch = {"data.limit": 20, "data.batch_size": 10, "train.device": "cpu"}
    parts = Recipe.from_dict(yaml.safe_load(text)).patched(patch).experiment().build(0)
    x, y = next(iter(parts.train))
    loss = parts.loss_fn(parts.model(x), y)
    loss.backward()
    parts.optimizer.step()
    assert loss.isfinite()


@pytest.mark.parametrize("example", blocks("python"))
def test_each_example_runs(example: str) -> None:
    torch.manual_seed(0)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(example, "docs/models.md", "exec"), names)


def test_every_model_is_named() -> None:
    assert set(MODELS) <= set(re.findall(r"`([\w-]+)`", GUIDE))
