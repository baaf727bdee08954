"""`torchdoctor demo`, whole, on the real digits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from torchdoctor.cli.demo import RECIPE
from torchdoctor.recipe.schema import Recipe

Cli = Callable[..., tuple[int, str, str]]
EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_the_demo_s_recipe_is_the_example() -> None:
    assert RECIPE.read_text("utf-8") == (EXAMPLES / "digits-sick.yaml").read_text("utf-8")


@pytest.mark.slow
def test_three_faults_of_different_places_are_proven_and_the_cured_net_reads_the_test_digits(
    cli: Cli, tmp_path: Path
) -> None:
    out = tmp_path / "demo"
    code, text, err = cli("demo", "--out", out, "--json")
    assert code == 0, err
    said = json.loads(text)
    assert said["before"]["test_score"] < 0.2
    assert said["after"]["test_score"] >= 0.97
    cure = said["cure"]
    causes = {f["name"]: f["place"] for f in cure["report"]["findings"] if f["kind"] == "cause"}
    assert len(cure["proven"]) == 3
    assert {causes[name] for name in cure["proven"]} == {"data", "model", "hyperparameters"}
    page = (out / "report.html").read_text("utf-8")
    assert all(name in page for name in cure["proven"])
    assert Recipe.load(out / "recipe-cured.yaml") != Recipe.load(RECIPE)
    left = {path.name for path in out.iterdir() if not path.name[:3].isdigit()}
    asked = {"asked.json", "recipe.yaml"}
    assert left == {"sick", "cured", "cure.json", "report.html", "recipe-cured.yaml", *asked}
    assert len(list(out.glob("*-unchanged-seed-*"))) > 1
