"""What a notebook shows, and frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cured import CURED, FINDING

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import Run, Writer

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    writer = Writer(tmp_path / "run")
    writer.append("a_signal", ("",), np.arange(3), np.zeros((3, 1)))
    writer.append("loss", ("",), np.arange(100), np.linspace(2, 1, 100)[:, None])
    writer.append("val_score", ("",), np.array([49, 99]), np.array([[0.5], [0.7]]))
    writer.append("dead_share", ("fc1",), np.arange(10), np.zeros((10, 1)))
    writer.commit()
    writer.close()
    return Run(tmp_path / "run")


def test_a_report_in_a_notebook_has_every_finding_its_curve_and_its_fix() -> None:
    trace = Trace.of(loss=np.full(200, 2.3), grad_norm=np.ones(200))
    report = judge(trace)
    text = report._repr_html_()
    assert len(report) and all(f"[{f.name}]" in text for f in report)
    assert "<script" not in text and "quiet" in text
    assert "No fault found" in Report(())._repr_html_()


def test_names_with_html_are_shown_not_obeyed_in_a_notebook() -> None:
    finding = Finding(EVIL, (EVIL,), (0, 3), 0.5, Severity.ERROR, name=EVIL, code=EVIL, explained_by=(EVIL,))
    for text in (finding._repr_html_(), Report((finding,), title=EVIL)._repr_html_()):
        assert "<script>" not in text and "&lt;script&gt;" in text


def test_a_cure_in_a_notebook_has_its_verdict_races_and_diff() -> None:
    text = CURED._repr_html_()
    assert "cured" in text and text.count("(proven)") == 1 and "+  lr: 0.1" in text
    assert FINDING.message in text


def test_a_run_in_a_notebook_is_its_curves(run: Run) -> None:
    text = run._repr_html_()
    rows = [text.index(f"<th>{signal}</th>") for signal in ("loss", "val_score", "a_signal")]
    assert rows == sorted(rows), "what one looks at first comes first"
    assert "2 → 1" in text and "1 signal of single layers" in text


def test_findings_become_rows() -> None:
    pytest.importorskip("pandas")
    frame = Report((FINDING, FINDING)).to_frame()
    assert list(frame["name"]) == ["low-learning-rate"] * 2 and frame["last_step"][0] == 99
    assert frame["fixes"][0] == ["set-learning-rate(lr=0.1)"]
    assert len(FINDING.to_frame()) == 1 and list(Report(()).to_frame().columns) == list(frame.columns)


def test_races_become_rows() -> None:
    pytest.importorskip("pandas")
    frame = CURED.to_frame()
    assert list(frame["effect"]) == [0.803, 0.01, 0.5] and list(frame["proven"]) == [True, False, False]


def test_a_run_becomes_a_row_a_step(run: Run) -> None:
    pytest.importorskip("pandas")
    frame = run.to_frame()
    assert set(frame.columns) == {"a_signal", "loss", "val_score"} and frame.index.name == "step" and len(frame) == 100
    assert frame["val_score"].dropna().to_dict() == {49: 0.5, 99: 0.7}
