"""The HTML page: whole, escaped, self-contained, and never half written."""

from __future__ import annotations

import json
import stat
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torchdoctor.discover import discover
from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.trace import Trace
from torchdoctor.show.on_disk import LIBRARY, STATIC

VOID = {"meta", "br", "link", "img", "path", "rect"}
EVERY_EXAMPLE = [
    pytest.param(trace, id=f"{rule.name}: {title}")
    for rule in discover("rules", Rule).values()
    for title, trace in rule.examples("FIRES").items()
]


class Page(HTMLParser):
    """Checks nesting as it reads; keeps the tags, the ids and what is fetched from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.charts: dict[str, Any] = {}
        self._reads_charts = False
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for key, value in attrs if key in ("src", "href")]
        self._reads_charts = ("id", "charts") in attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        if self._reads_charts:
            self.charts = json.loads(data)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        self._reads_charts = False


def page_of(report: Report, folder: Path) -> str:
    return report.html(folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("trace", EVERY_EXAMPLE)
def test_every_rule_s_findings_make_a_well_formed_page_that_fetches_nothing(trace: Trace, tmp_path: Path) -> None:
    report = judge(trace)
    text = page_of(report, tmp_path)
    page = Page(text)
    assert page.fetched == [] and page.tags.count("script") in (1, 4)
    assert all(part in unescape(text[:2000]) for part in ("default-src 'none'", "script-src 'sha256-"))
    assert all(f'data-chart="{name}"' in text for name in page.charts)
    assert page.tags.count("h1") == 1
    assert page.tags.count("article") >= len([f for f in report.causes if not f.explained_by])


def test_names_with_html_are_shown_not_obeyed(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>\"' onload=x <b>"
    finding = Finding(
        evil, (evil,), (0, 3), 0.5, Severity.ERROR, {evil: evil}, (Remedy(evil, {"a": evil}),), "high-learning-rate",
        "cause", "data", "D01",
    )  # fmt: skip
    trace = Trace.of(loss=[1.0, 2.0, 3.0], lr={evil: [1.0, 2.0, 3.0]})
    report = Report((finding,), (evil,), {evil: evil}, {evil: evil}, evil, trace)
    text = page_of(report, tmp_path)
    assert "<script>alert" not in text and "<b>\n" not in text
    assert "&lt;script&gt;" in text and "\\u003cscript\\u003e" in text
    assert "onload=x" in text and "\"' onload" not in text
    Page(text)


def test_a_page_of_a_report_without_findings_says_so(tmp_path: Path) -> None:
    assert "No fault found." in page_of(Report((), ("a",)), tmp_path)


def test_a_long_run_of_many_layers_makes_a_page_below_two_megabytes(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    loss, layers = draw.random(200_000), {f"features.stage{i}.conv.weight": draw.random(4_000) for i in range(150)}
    heats = dict.fromkeys(
        ("param_grad_norm", "activation_std", "dead_share", "saturated_share", "update_ratio"), layers
    )
    rates = {f"group {i}": loss[:2000] for i in range(50)}
    trace = Trace.of(loss=loss, val_loss=loss[:200], grad_norm=loss, lr=rates, memory=loss, **heats)
    page = page_of(Report((), trace=trace), tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    assert {"curve-loss", "curve-lr", "heat-update_ratio", "memory"} <= set(Page(page).charts)


def test_a_report_without_a_run_needs_no_library(tmp_path: Path) -> None:
    assert len(page_of(Report((), ("a",)), tmp_path)) < 20_000 < (STATIC / LIBRARY).stat().st_size


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(self: Path, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BadRun, match="No space left on device"):
        Report(()).html(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_others_may_read_a_page_as_any_new_file(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("")
    mode = stat.S_IMODE(Report(()).html(tmp_path / "deep" / "er" / "report.html").stat().st_mode)
    assert mode == stat.S_IMODE(other.stat().st_mode)
