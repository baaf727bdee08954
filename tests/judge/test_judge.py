"""Every rule ends in one of four ways, and none hides another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from torchdoctor.errors import BadUnit
from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.judge import all_rules, judge
from torchdoctor.judge.rule import CannotSay, Judge, Rule, rule
from torchdoctor.judge.trace import Trace

TRACE = Trace.of(loss=[3.0, 2.0, 1.0])


def made(fn: Judge, **settings: Any) -> Rule:
    fn.__doc__ = "A rule made for a test."
    return rule(settings.pop("code", "T01"), **{"kind": "cause", "needs": ["loss"], **settings})(fn)


def speaks(trace: Trace, *, bound: float = 2.5) -> Iterator[Finding]:
    if trace["loss"].first > bound:
        yield Finding(f"{trace['loss'].first} is above {bound}.")


def says_nothing(trace: Trace) -> Iterator[Finding]:
    yield from ()


def cannot_say(trace: Trace) -> Iterator[Finding]:
    raise CannotSay("needs 20 steps, got 3")
    yield


def breaks(trace: Trace) -> Iterator[Finding]:
    yield Finding("Half of it.")
    raise ZeroDivisionError("by zero")


def test_found_quiet_not_run_and_crashed_stand_side_by_side():
    report = judge(TRACE, [made(breaks), made(cannot_say), made(says_nothing), made(speaks)])
    assert [f.name for f in report] == ["speaks"] and report.quiet == ("says-nothing",)
    assert report.not_run == {"cannot-say": "needs 20 steps, got 3"}
    assert report.crashed == {"breaks": "ZeroDivisionError: by zero"}


def test_a_missing_signal_is_said_and_the_rule_not_asked():
    report = judge(TRACE, [made(breaks, needs=["loss", "lr", "val_score|val_loss"])])
    assert report.not_run == {"breaks": "needs lr, val_score or val_loss, not recorded"} and not report.crashed


def test_a_signal_without_a_point_counts_as_missing():
    assert judge(Trace.of(loss=[]), [made(speaks)]).not_run == {"speaks": "needs loss, not recorded"}


def test_one_of_two_alternatives_is_enough():
    assert len(judge(TRACE, [made(speaks, needs=["val_loss|loss"])])) == 1


def test_findings_carry_what_their_rule_is():
    found = judge(TRACE, [made(speaks, code="T07", explains=["stalled-loss"], severity=Severity.ERROR)]).findings[0]
    assert (found.name, found.code, found.kind, found.severity) == ("speaks", "T07", "cause", Severity.ERROR)
    assert found.explains == ("stalled-loss",)


def test_a_finding_may_overrule_the_severity_of_its_rule():
    def hints(trace: Trace) -> Iterator[Finding]:
        yield Finding("A hint.", severity=Severity.INFO)

    found = judge(TRACE, [made(hints, severity=Severity.ERROR)]).findings[0]
    assert found.severity is Severity.INFO and not found.alarm


def test_options_replace_a_rules_thresholds():
    assert not judge(TRACE, [made(speaks)], options={"speaks": {"bound": 5.0}}).findings
    assert made(speaks).options == {"bound": 2.5}


def test_an_unknown_option_is_a_crash_of_that_rule_alone():
    report = judge(TRACE, [made(speaks), made(says_nothing)], options={"speaks": {"bund": 5.0}})
    assert "bund" in report.crashed["speaks"] and report.quiet == ("says-nothing",)


def test_the_report_holds_what_was_judged():
    assert judge(TRACE, [], title="mine").trace is TRACE and judge(TRACE, [], title="mine").title == "mine"


def test_judging_an_empty_trace_runs_nothing_and_crashes_nothing():
    report = judge(Trace({}))
    assert not report.findings and not report.crashed
    assert set(report.not_run) | set(report.quiet) == {r.name for r in all_rules()}


@pytest.mark.parametrize("stage", ["training", "data", "evaluation"])
def test_a_run_is_judged_by_the_rules_of_its_stage_and_hears_of_no_other(stage: str):
    report = judge(Trace({}, {"stage": stage}))
    asked = {r.name for r in all_rules() if stage in r.stages}
    assert asked and set(report.not_run) | set(report.quiet) == asked < {r.name for r in all_rules()}


def test_rules_that_are_named_are_asked_whatever_the_stage():
    of_data = Trace.of(facts={"stage": "data"}, loss=[3.0])
    assert len(judge(of_data, [made(speaks)])) == 1 and made(speaks).stages == ("training",)


def test_the_default_rules_come_by_code_and_without_previews():
    codes = [r.code for r in all_rules()]
    assert codes == sorted(codes) and not any(r.preview for r in all_rules())


def test_a_rule_without_a_docstring_is_refused():
    def silent(trace: Trace) -> Iterator[Finding]:
        yield from ()

    with pytest.raises(BadUnit, match="'silent' has no docstring"):
        rule("T01", kind="cause", needs=[])(silent)
