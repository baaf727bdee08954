"""The guide to data runs: every recipe of docs/data.md builds and trains a step, every example is executed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torchdoctor.recipe.schema import Recipe

GUIDE = (Path(__file__).parents[2] / "docs" / "data.md").read_text("utf-8")
RECIPES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
EXAMPLES = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the guide speaks of."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    rows = []
    for i in range(200):
        age = "" if i % 11 == 0 else random.integers(18, 90)
        town, income, cost = random.choice(["Oslo", "Rome"]), random.lognormal(8), random.uniform(5, 99)
        day = f"2026-{1 + i // 28:02d}-{1 + i % 28:02d}"
        rows.append(f"{i % 30},{day},{age},{town},{income:.0f},{cost:.2f},{'no' if i % 5 else 'yes'}")
    (tmp_path / "visits.csv").write_text("patient,visit,age,town,income,cost,returned\n" + "\n".join(rows) + "\n")
    texts = [f'spam\twin a "prize {i}' if i % 3 else f"ham\tsee you at {i}" for i in range(60)]
    (tmp_path / "messages.tsv").write_text("kind\tmessage\n" + "\n".join(texts) + "\n")
    for i in range(20):
        file = tmp_path / "pictures" / ("cat", "dog")[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (20 + i, 24, 3), np.uint8)).save(file)
    (tmp_path / "pictures" / "cat" / "broken.jpg").write_bytes(b"")
    (tmp_path / "recipe.yaml").write_text(RECIPES[0] + "train: {epochs: 1, device: cpu}\n")
    return tmp_path


@pytest.mark.parametrize("number", range(len(RECIPES)))
def test_every_recipe_builds_and_its_loss_is_a_number(files, number):
    (files / "one.yaml").write_text(RECIPES[number])
    parts = Recipe.load(files / "one.yaml", overrides=("train.device=cpu",)).experiment().build(0)
    x, y = next(iter(parts.train))
    assert parts.loss_fn(parts.model(x), y).isfinite()


def test_every_example_runs_as_it_stands(files, capsys):
    names: dict[str, object] = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/data.md", "exec"), names)
    said = capsys.readouterr().out
    assert said.splitlines()[0] in ("yes", "no")
    assert [round(score, 3) for score in names["grown"].scores[::3]] == [0.774, 0.826] and names["grown"].added == 933
