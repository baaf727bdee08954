"""The order of findings: what to read first, and that nothing can hide everything."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.odds import Likelihoods
from torchdoctor.judge.ranking import ranked
from torchdoctor.judge.report import Report

NAMES = "abcdef"


def cause(name: str, confidence: float = 0.8, severity: Severity = Severity.ERROR, explains: str = "") -> Finding:
    return Finding(
        "Cause.", name=name, confidence=confidence, severity=severity, kind="cause", explains=tuple(explains)
    )


def symptom(name: str, confidence: float = 0.8, severity: Severity = Severity.ERROR, explains: str = "") -> Finding:
    return Finding(
        "Symptom.", name=name, confidence=confidence, severity=severity, kind="symptom", explains=tuple(explains)
    )


def order(*findings: Finding) -> str:
    return "".join(f.name for f in ranked(findings))


def roots(*findings: Finding) -> str:
    return "".join(f.name for f in Report(ranked(findings)).roots)


FINDINGS = st.lists(
    st.builds(
        Finding,
        message=st.sampled_from(["One.", "Two."]),
        name=st.sampled_from(NAMES),
        confidence=st.sampled_from([0.1, 0.5, 0.5, 0.9]),
        severity=st.sampled_from([None, *Severity]),
        kind=st.sampled_from(["cause", "symptom"]),
        explains=st.lists(st.sampled_from(NAMES), max_size=4).map(tuple),
        where=st.sampled_from([(), ("fc",), (3,)]),
    ),
    max_size=9,
)


def test_causes_come_before_symptoms():
    assert order(symptom("s", 1.0), cause("c", 0.3)) == "cs"


def test_the_likelier_cause_comes_first():
    assert order(cause("a", 0.5), cause("b", 0.9)) == "ba"


def test_the_graver_of_two_equally_likely_causes_comes_first():
    assert order(cause("a", severity=Severity.WARNING), cause("b")) == "ba"


def test_a_cause_that_accounts_for_the_symptoms_comes_before_one_that_does_not():
    assert order(cause("a", 0.81), cause("b", 0.8, explains="s"), symptom("s")) == "bas"


def test_accounting_for_a_symptom_through_another_counts_too():
    symptoms = symptom("s", explains="t"), symptom("t")
    assert order(cause("a", 0.81, explains="t"), cause("b", 0.8, explains="s"), *symptoms)[0] == "b"


def test_hints_come_after_alarms_even_when_they_are_causes():
    assert order(cause("h", 1.0, Severity.INFO), symptom("s", 0.5)) == "sh"


def test_a_cause_that_another_accounts_for_comes_after_it():
    assert order(cause("a", 0.9), cause("b", 0.7, explains="a")) == "ba"


def test_a_chain_of_explanations_is_read_from_its_beginning():
    assert order(symptom("c", 0.9), symptom("b", 0.8, explains="c"), symptom("a", 0.7, explains="b")) == "abc"


def test_symptoms_say_what_explains_them_the_likeliest_first():
    last = ranked([cause("a", 0.6, explains="s"), cause("b", 0.9, explains="s"), symptom("s")])[-1]
    assert last.explained_by == ("b", "a")


def test_a_hint_explains_no_alarm():
    assert roots(cause("h", severity=Severity.INFO, explains="s"), symptom("s")) == "sh"


def test_a_symptom_explains_no_cause():
    assert roots(symptom("s", explains="c"), cause("c", 0.3)) == "cs"


def test_a_weak_suspicion_does_not_explain_away_a_certain_cause():
    assert roots(cause("weak", 0.4, explains="c"), cause("c", 0.95)) == "cweak"


def test_of_two_causes_that_explain_each_other_the_weightier_stays():
    assert roots(cause("a", 0.7, explains="b"), cause("b", 0.8, explains="a")) == "b"


def test_of_three_causes_in_a_circle_one_at_least_stays():
    assert roots(cause("a", explains="b"), cause("b", explains="c"), cause("c", explains="a")) == "a"


def test_several_findings_of_one_rule_stay_together():
    both = [cause("a", 0.9), cause("b", 0.8), cause("a", 0.5)]
    assert order(*both) == "aab"


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_given_does_not_matter(findings: list[Finding], rng: random.Random):
    shuffled = list(findings)
    rng.shuffle(shuffled)
    assert ranked(shuffled) == ranked(findings)


@given(FINDINGS)
def test_nothing_is_lost_and_some_finding_is_always_a_root(findings: list[Finding]):
    report = Report(ranked(findings))
    assert sorted(f.name for f in report) == sorted(f.name for f in findings)
    assert bool(report.roots) == bool(findings)


@given(FINDINGS)
def test_every_explanation_leads_up_to_a_root(findings: list[Finding]):
    above = {f.name: set(f.explained_by) for f in ranked(findings)}
    left = set(above)
    while resolved := {name for name in left if not above[name] & left}:
        left -= resolved
    assert not left, f"a loop of explanations: {left}"


@given(FINDINGS)
def test_what_explains_comes_first_and_is_in_the_report(findings: list[Finding]):
    inside = ranked(findings)
    for i, f in enumerate(inside):
        assert set(f.explained_by) <= {g.name for g in inside} - {f.name}
        first = [min(j for j, g in enumerate(inside) if g.name == name) for name in f.explained_by]
        same_group = [j for j in first if (inside[j].alarm, inside[j].kind) == (f.alarm, f.kind)]
        assert all(j < i for j in same_group)


@given(FINDINGS)
def test_ranking_what_is_ranked_changes_nothing(findings: list[Finding]):
    as_given = ranked(findings, table=None)
    assert ranked(as_given, table=None) == as_given


def test_a_confidence_becomes_the_share_of_its_like_that_was_right():
    table = Likelihoods(alarms={"a": (90, 10), "b": (0, 0)}, prior=0.01)
    inside = ranked([cause("a", 0.3), cause("b", 0.99), symptom("s", 0.7)], table)
    assert [round(f.confidence, 2) for f in inside if f.name in "as"] == [0.9, 0.7]


@given(FINDINGS)
def test_without_a_table_confidences_stay_as_the_rules_gave_them(findings: list[Finding]):
    before, after = (sorted(f.confidence for f in fs) for fs in (findings, ranked(findings, table=None)))
    assert before == after


@given(FINDINGS)
def test_chances_are_probabilities(findings: list[Finding]):
    assert all(0 < f.confidence < 1 for f in ranked(findings))
