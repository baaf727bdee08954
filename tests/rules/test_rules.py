"""Every rule keeps the contract and its own examples; a new rule file is tested by existing."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vocabulary import FAULTS, TABLES

from torchdoctor.discover import discover
from torchdoctor.examine.examination import Examination
from torchdoctor.fixes.fix import Fix
from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.rule import SECTIONS, CannotSay, Rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.probes.probe import Probe
from torchdoctor.record.signal import Signal

RULES = list(discover("rules", Rule).values())
EXAMPLES = [(r, kind, title) for r in RULES for kind in ("FIRES", "QUIET") for title in r.examples(kind)]
KNOWN_SIGNALS = set(discover("signals", Signal)) | {
    measure
    for unit in (*discover("probes", Probe).values(), *discover("examine", Examination).values())
    for measure in unit.measures
}
MEASURED = {s for e in discover("examine", Examination).values() for s in e.measures}
EXAMINED = Trace.of(**{name: [0.0] for name in MEASURED})
ONLY_EXAMINED = (
    MEASURED - set(discover("signals", Signal)) - {s for p in discover("probes", Probe).values() for s in p.measures}
)
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
firing = pytest.mark.parametrize(
    ("rule", "title"), [(r, t) for r, kind, t in EXAMPLES if kind == "FIRES"], ids=lambda x: getattr(x, "name", x)
)


def said(rule: Rule, trace: Trace) -> list[Finding]:
    """What the rule says; nothing when it cannot say."""
    try:
        return list(rule.judge(trace))
    except CannotSay:
        return []


@pytest.mark.parametrize(("rule", "kind", "title"), EXAMPLES, ids=lambda x: getattr(x, "name", x))
def test_it_fires_on_what_it_must_and_is_quiet_on_what_it_must(rule: Rule, kind: str, title: str):
    assert bool(said(rule, rule.examples(kind)[title])) == (kind == "FIRES")


@every_rule
def test_it_has_two_examples_of_each_kind_and_every_section_of_its_page(rule: Rule):
    assert len(rule.examples("FIRES")) >= 2 and len(rule.examples("QUIET")) >= 2
    first, *rest = rule.doc.splitlines()
    assert first.endswith(".") and len(first) <= 120 and not rest[0]
    assert [line.strip() for line in rest if line.strip() in SECTIONS] == list(SECTIONS)


@every_rule
def test_name_file_place_kind_and_code_are_those_of_the_vocabulary(rule: Rule):
    *_, place, stem = rule.module.split(".")
    assert stem == rule.name.replace("-", "_")
    assert (rule.place, rule.kind, rule.code) == FAULTS[rule.name] and rule.place == place


def test_codes_are_unique():
    assert len({r.code for r in RULES}) == len(RULES)


@every_rule
def test_what_it_needs_is_a_signal_or_what_a_probe_measures(rule: Rule):
    needed = {name for need in rule.needs for name in need.split("|")}
    assert needed <= KNOWN_SIGNALS, f"nobody records {needed - KNOWN_SIGNALS}"


@every_rule
def test_its_examples_hold_only_signals_that_somebody_records(rule: Rule):
    used = {name for kind in ("FIRES", "QUIET") for trace in rule.examples(kind).values() for name in trace.data}
    assert used <= KNOWN_SIGNALS, f"nobody records {used - KNOWN_SIGNALS}"


@every_rule
def test_it_is_asked_at_every_stage_that_measures_what_it_needs(rule: Rule):
    assert set(rule.stages) <= {"training", "data", "evaluation"} and rule.stages
    assert ("data" in rule.stages) == (bool(rule.needs) and not rule.missing(EXAMINED))
    if "training" in rule.stages:
        assert [need for need in rule.needs if set(need.split("|")) <= ONLY_EXAMINED] == []


@every_rule
def test_what_it_explains_are_other_faults_and_a_symptom_explains_symptoms(rule: Rule):
    assert set(rule.explains) <= set(FAULTS) - {rule.name}
    assert len(set(rule.explains)) == len(rule.explains)
    if rule.kind == "symptom":
        assert all(FAULTS[name][1] == "symptom" for name in rule.explains)


@every_rule
def test_every_threshold_is_explained_on_its_page(rule: Rule):
    assert [name for name in rule.options if f"`{name}`" not in rule.doc] == []


@every_rule
def test_it_imports_neither_torch_nor_anything_that_acts(rule: Rule):
    module = sys.modules[rule.module]
    foreign = {
        name
        for name, value in vars(module).items()
        if inspect.ismodule(value) and value.__name__.split(".")[0] in ("torch", "torchdoctor", "os", "sys", "pathlib")
    }
    assert not foreign


@firing
def test_the_message_is_one_short_sentence_with_the_numbers_in_it(rule: Rule, title: str):
    for found in said(rule, rule.examples("FIRES")[title]):
        assert len(found.message) <= 160 and found.message.endswith(".") and "\n" not in found.message
        assert not found.message[0].islower() or _is_name(found.message.split()[0], found)
        assert any(c.isdigit() for c in found.message) or found.evidence


def _is_name(word: str, found: Finding) -> bool:
    return word.strip(",:;'") in {*KNOWN_SIGNALS, *map(str, found.where)}


@firing
def test_a_finding_can_be_ranked_drawn_and_written_as_json(rule: Rule, title: str):
    report = judge(rule.examples("FIRES")[title], [rule])
    if not report.not_run:  # an example may leave out signals that the rule needs but does not look at here
        assert report.to_json() and not report.crashed
    for found in said(rule, rule.examples("FIRES")[title]):
        assert 0 < found.confidence <= 1 and found.severity in (None, *Severity)
        assert found.steps is None or found.steps[0] <= found.steps[1]
        assert all(isinstance(v, (int, float, str, np.number)) for v in found.evidence.values())
        assert all(isinstance(w, (int, str)) for w in found.where)


@firing
def test_the_fixes_it_offers_exist_and_take_the_options_it_gives(rule: Rule, title: str):
    fixes = discover("fixes", Fix)
    for found in said(rule, rule.examples("FIRES")[title]):
        for remedy in found.fixes:
            assert remedy.fix in fixes, f"fixes/ has no {remedy.fix!r}"
            assert set(remedy.options) <= set(fixes[remedy.fix].options)
            assert fixes[remedy.fix].code(**remedy.options)


# -- whatever was recorded --------------------------------------------------------------------------------------------

NUMBER = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 1e-30, 1e30, math.nan, math.inf, -math.inf]), st.floats(-1e3, 1e3))
VALUES = st.one_of(
    st.just([]),
    NUMBER.map(lambda x: [x]),
    st.builds(lambda x, n: [x] * n, NUMBER, st.integers(2, 130)),
    st.lists(NUMBER, min_size=2, max_size=130),
    st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).lognormal(0, 2, 130).tolist()),
)
VECTORS = st.one_of(
    st.just([]), st.integers(1, 3).flatmap(lambda k: st.lists(st.lists(NUMBER, min_size=k, max_size=k), max_size=5))
)
FACTS = st.sampled_from(
    [
        {},
        {"steps": 100, "turns": 3, "mode_layers": ["fc1"], "foreign_parameters": 1, "loss_from": "backward"},
        {
            "parameters": {
                name: {"shape": [4, 4], "trainable": True, "in_optimizer": 1} for name in ("fc1.weight", "fc2.weight")
            },
            "modules": {"fc1": "Linear", "relu": "ReLU", "fc2": "Linear"},
            "loss_shapes": {"output": [8, 4], "target": [8]},
            "optimizer": {"type": "SGD", "groups": [{"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}]},
            "mode_layers": [],
        },
    ]
)
VECTOR_SIGNALS = {"unit_zero_share", "label_counts"}
SUBJECTS = ("", "fc1.weight", "fc2.weight", "fc1", "relu", "fc2", "0", "here x1", "fresh x1", "train", "val")


def traces(rule: Rule) -> Iterator[str]:
    """The signals this rule may look at: those it needs and those of its examples."""
    examples = [t for kind in ("FIRES", "QUIET") for t in rule.examples(kind).values()]
    yield from sorted({n for need in rule.needs for n in need.split("|")} | {n for t in examples for n in t.data})


@every_rule
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_it_survives_whatever_was_recorded(rule: Rule, data: st.DataObject):
    signals = {}
    for name in traces(rule):
        values = data.draw(VECTORS if name in VECTOR_SIGNALS else VALUES, label=name)
        subjects = data.draw(st.sampled_from([("",), SUBJECTS[1:3], SUBJECTS]), label=f"subjects of {name}")
        signals[name] = dict.fromkeys(subjects, Series.of(values))
    trace = Trace(signals, data.draw(FACTS, label="facts"))
    for found in said(rule, trace):
        assert isinstance(found, Finding) and found.message.endswith(".")
        assert 0 <= found.confidence <= 1


@every_rule
def test_it_survives_its_examples_with_any_one_signal_missing(rule: Rule):
    for kind in ("FIRES", "QUIET"):
        for trace in rule.examples(kind).values():
            for gone in trace.data:
                left = Trace({n: g for n, g in trace.data.items() if n != gone}, trace.facts)
                assert not judge(left, [rule]).crashed
                assert not judge(Trace(trace.data), [rule]).crashed


@every_rule
def test_it_changes_nothing_in_the_trace(rule: Rule):
    for trace in rule.examples("FIRES").values():
        before = {(n, s): x.values.copy() for n, g in trace.data.items() for s, x in g.items()}
        said(rule, trace)
        assert all(
            np.array_equal(before[n, s], x.values, equal_nan=True) for n, g in trace.data.items() for s, x in g.items()
        )


def test_the_vocabulary_has_each_name_once():

    words = [w.rstrip("*") for words in TABLES.values() for w in words.split()]
    assert len(words) == len(set(words)) == len(FAULTS)


def test_rules_are_discovered_from_files_alone():
    folder = Path(importlib.import_module("torchdoctor.rules").__path__[0])
    assert len(RULES) == len([f for f in folder.rglob("*.py") if f.name != "__init__.py"])
