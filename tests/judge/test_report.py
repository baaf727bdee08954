"""A report as a thing to read, and as JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report

FOUND = Finding(
    "The loss is 9.",
    where=("fc.weight", 7),
    steps=(3, 9),
    confidence=0.75,
    severity=Severity.ERROR,
    evidence={"loss": 9.0, "source": "fc"},
    fixes=(Remedy("set-learning-rate", {"factor": 0.1}), Remedy("use-adam")),
    name="stalled-loss",
    kind="symptom",
    place="optimisation",
    code="O09",
    explains=("underfitting",),
    explained_by=("high-learning-rate",),
)
CAUSE = replace(FOUND, name="high-learning-rate", kind="cause", severity=Severity.WARNING, explained_by=(), steps=None)
REPORT = Report((CAUSE, FOUND), ("dead-units",), {"overfitting": "needs val_loss"}, {"x": "KeyError: 'y'"}, "run 1")

TEXT = st.text(max_size=20)
FINDINGS = st.builds(
    Finding,
    message=TEXT,
    where=st.lists(st.one_of(TEXT, st.integers(0, 99)), max_size=3).map(tuple),
    steps=st.one_of(st.none(), st.tuples(st.integers(0, 99), st.integers(100, 200))),
    confidence=st.sampled_from([0.0, 0.125, 1.0]),
    severity=st.sampled_from(list(Severity)),
    evidence=st.dictionaries(TEXT, st.one_of(TEXT, st.floats(allow_nan=False, allow_infinity=False)), max_size=3),
    fixes=st.lists(st.builds(Remedy, TEXT, st.dictionaries(TEXT, st.integers(), max_size=2)), max_size=2).map(tuple),
    name=TEXT,
    kind=st.sampled_from(["cause", "symptom"]),
    explains=st.lists(TEXT, max_size=2).map(tuple),
)


def test_causes_and_roots_are_what_a_person_reads_first():
    assert REPORT.causes == (CAUSE,) and REPORT.roots == (CAUSE,)
    assert REPORT.folded_under(CAUSE) == (FOUND,) and REPORT.folded_under(FOUND) == ()


def test_the_worst_severity_is_the_highest():
    assert REPORT.worst is Severity.ERROR and Report(()).worst is None
    assert Severity.INFO.rank < Severity.WARNING.rank < Severity.ERROR.rank


def test_only_what_is_above_info_is_an_alarm():
    assert [replace(FOUND, severity=s).alarm for s in (None, *Severity)] == [False, False, True, True]


def test_a_report_is_a_collection_of_its_findings():
    assert list(REPORT) == [CAUSE, FOUND] and len(REPORT) == 2


def test_json_names_every_field_of_a_finding():
    written = json.loads(REPORT.to_json())
    assert set(written) == {"title", "findings", "quiet", "not_run", "crashed"}
    assert set(written["findings"][0]) == set(Finding.__dataclass_fields__)


def test_what_json_has_no_word_for_is_written_as_text():
    evidence = {"a": float("nan"), "b": float("inf"), "c": np.float32(0.5), "d": np.int64(3)}
    written = json.loads(Report((replace(FOUND, evidence=evidence),)).to_json())
    assert written["findings"][0]["evidence"] == {"a": "nan", "b": "inf", "c": 0.5, "d": 3}


@given(st.lists(FINDINGS, max_size=3), st.lists(TEXT, max_size=2), st.dictionaries(TEXT, TEXT, max_size=2), TEXT)
def test_json_and_back_is_the_same_report(findings: list[Finding], quiet: list[str], why: dict[str, str], title: str):
    report = Report(tuple(findings), tuple(quiet), why, why, title)
    assert Report.from_json(report.to_json()) == report
