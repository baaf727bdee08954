"""torchdoctor explain: from a trained run to a page with pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("captum")
Cli = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("here")


def test_it_prints_the_checks_and_writes_a_page_into_a_folder_of_its_own(cli: Cli, lenet: Path, tmp_path: Path) -> None:
    before = {f: f.read_bytes() for f in lenet.rglob("*") if f.is_file()}
    code, out, err = cli("explain", lenet, "--sample", 3)
    assert code == 0 and "completeness" in out and "conv2: 16 channels" in out and "\x1b" not in out
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "explanation.html").is_file() and folder.name in err
    assert before == {f: f.read_bytes() for f in lenet.rglob("*") if f.is_file()}


def test_json_is_all_but_the_pictures(cli: Cli, lenet: Path) -> None:
    code, out, _ = cli(
        "explain", lenet, "--sample", 1, "--json", "--truth", "--out", "why", "--html", "page.html", "--on", "val"
    )
    said = json.loads(out)
    assert code == 0 and said["sample"] == 1 and said["target"] == said["truth"] and Path("page.html").is_file()
    assert set(said["attributions"]) == {"saliency", "grad-cam", "hires-cam", "integrated-gradients", "occlusion"}


@pytest.mark.parametrize(
    ("words", "says"), [(("absent",), "recipe.yaml"), (("RUN", "--sample", 5000), "from 0 to 178")]
)
def test_each_wrong_word_is_one_line(cli: Cli, lenet: Path, words: tuple[str | int, ...], says: str) -> None:
    code, out, err = cli("explain", *(lenet if word == "RUN" else word for word in words))
    assert (code, out) == (2, "") and err.count("\n") == 1 and says in err
