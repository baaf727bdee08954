"""The HTML page: whole, escaped, self-contained, and never half written."""

from __future__ import annotations

import stat
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from torchdoctor.discover import discover
from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.show.chart import HEIGHT, POINTS, WIDTH, chart

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
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def page_of(report: Report, folder: Path) -> str:
    return report.html(folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("trace", EVERY_EXAMPLE)
def test_every_rule_s_findings_make_a_well_formed_page_that_fetches_and_runs_nothing(
    trace: Trace, tmp_path: Path
) -> None:
    report = judge(trace)
    page = Page(page_of(report, tmp_path))
    assert page.fetched == [] and "script" not in page.tags
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
    assert "<script" not in text and "<b>\n" not in text
    assert "&lt;script&gt;" in text
    assert "onload=x" in text and "\"' onload" not in text
    Page(text)


def test_a_page_of_a_report_without_findings_says_so(tmp_path: Path) -> None:
    assert "No fault found." in page_of(Report((), ("a",)), tmp_path)


def test_a_long_run_makes_a_small_page(tmp_path: Path) -> None:
    loss = np.random.default_rng(0).random(200_000)
    page_of(Report((), trace=Trace.of(loss=loss, grad_norm=loss)), tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 100_000


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


def test_a_chart_keeps_both_ends_and_a_spike_of_one_step() -> None:
    values = np.ones(100_000)
    values[777] = 9
    drawn = chart("loss", {"loss": Series.of(values)})
    assert drawn is not None
    points = [tuple(map(float, p.split())) for p in drawn.paths[0][1][1:].split("L")]
    assert len(points) <= POINTS + 2
    assert points[0][0] == 0 and points[-1][0] == WIDTH
    assert min(y for _, y in points) == 0 and max(y for _, y in points) == HEIGHT


def test_a_chart_marks_what_is_not_finite_and_gives_up_where_nothing_is() -> None:
    drawn = chart("loss", {"loss": Series.of([1.0, float("nan"), 2.0, float("inf"), 3.0])})
    assert drawn is not None
    assert drawn.lost == (WIDTH / 4, WIDTH * 3 / 4)
    assert chart("loss", {"loss": Series.of([float("nan")] * 3)}) is None


def test_curves_over_many_decades_are_drawn_by_their_logarithm() -> None:
    drawn = chart("g", {"g": Series.of([1.0, 1e3, 1e6])})
    assert drawn is not None and drawn.logarithmic
    assert drawn.paths[0][1] == "M0.0 200.0L500.0 100.0L1000.0 0.0"
    assert drawn.ticks == ("1e6", "1,000", "1")
