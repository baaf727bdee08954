"""torchdoctor evaluate: from a trained run to numbers, a recorded run and a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("here")


class Page(HTMLParser):
    """Checks nesting as it reads; keeps the tags and what is fetched."""

    VOID = frozenset({"meta", "br", "img", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [v or "" for key, v in attrs if key in ("src", "href") and not (v or "").startswith("data:")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_it_prints_scores_with_intervals_writes_a_run_and_a_page(cli: Cli, lenet: Path, tmp_path: Path) -> None:
    code, out, err = cli("evaluate", lenet, "--html", "page.html")
    assert code == 0, out + err
    assert all(words in out for words in ("accuracy [95 %]", "logistic regression", "Calibration error"))
    assert "\x1b" not in out
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.endswith("lenet-evaluation") and folder.name in err
    assert {"signals.db", "recipe.yaml", "evaluation.json"} <= {f.name for f in folder.iterdir()}
    page = Page((tmp_path / "page.html").read_text("utf-8"))
    assert page.fetched == [] and page.tags.count("script") == 4 and page.tags.count("h1") == 1 and "img" in page.tags


def test_json_is_all_of_it_and_nothing_else_is_printed(cli: Cli, lenet: Path) -> None:
    code, out, _ = cli("evaluate", lenet, "--quick", "--json", "--on", "val", "--checkpoint", "last", "--out", "eval")
    said = json.loads(out)
    assert code == 0 and said["run"] == "eval" and said["evaluation"]["on"] == "val"
    assert said["evaluation"]["left_out"]["baselines"] == "not asked for" and said["findings"] == []
    assert json.loads(Path("eval/evaluation.json").read_text())["confusion"] == said["evaluation"]["confusion"]


def test_another_run_is_compared_and_slices_are_imported(cli: Cli, lenet: Path, tmp_path: Path) -> None:
    (tmp_path / "my_slices.py").write_text("def ink(inputs, target):\n    return (inputs[0] > 1).flatten(1).sum(1)\n")
    code, out, _ = cli("evaluate", lenet, "--quick", "--against", lenet, "--slice", "my_slices:ink", "--json")
    said = json.loads(out)["evaluation"]
    assert code == 0 and said["against"]["lead"]["value"] == 0
    assert "ink" in {s["column"] for s in said["slices"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("absent",), "recipe.yaml"),
        (("RUN", "--on", "tests"), "'test'"),
        (("RUN", "--checkpoint", "first"), "best"),
        (("RUN", "--quick", "--slice", "nowhere:f"), "nowhere"),
        (("RUN", "--against", "absent"), "absent"),
        (("RUN", "--quick", "--slice", "os:getcwd"), "'getcwd' failed"),
        (("RUN", "--out", "RUN"), "already holds signals.db"),
        (("RUN", "--html", "RUN"), "is a folder"),
    ],
)
def test_each_wrong_word_is_one_line_and_leaves_no_run(
    cli: Cli, lenet: Path, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    code, out, err = cli("evaluate", *(lenet if word == "RUN" else word for word in words))
    assert (code, out) == (2, "") and err.count("\n") == 1 and says in err
    assert not (tmp_path / "runs").exists()
