"""The text of a report, made from what real rules say of their own examples."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from torchdoctor.discover import discover
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.trace import Trace
from torchdoctor.show.text import print_report, put, tally

EVERY_EXAMPLE = [
    pytest.param(trace, rule.name, id=f"{rule.name}: {title}")
    for rule in discover("rules", Rule).values()
    for title, trace in rule.examples("FIRES").items()
]
CAUSE = Finding(
    "The inputs have mean 127 and spread 79.", ("conv1",), (0, 150), 0.9, Severity.ERROR, {"mean": 127.0},
    (Remedy("standardize-inputs"), Remedy("use-adam")), "unscaled-inputs", "cause", "data", "D01", ("stalled-loss",),
)  # fmt: skip
SYMPTOM = Finding(
    "The loss stays at 2.3.", (), (12, 300), 0.7, Severity.WARNING, {}, (), "stalled-loss", "symptom", "optimisation",
    "O09", (), ("unscaled-inputs",),
)  # fmt: skip


def printed(report: Report) -> str:
    file = io.StringIO()
    print_report(report, file)
    return file.getvalue()


@pytest.mark.parametrize(("trace", "name"), EVERY_EXAMPLE)
def test_every_finding_is_printed_once_with_its_message_and_without_colour_codes(trace: Trace, name: str) -> None:
    report = judge(trace)
    text = printed(report)
    assert "\x1b" not in text
    assert name in text
    for finding in report:
        if finding.message in text:
            assert text.count(finding.message) == sum(f.message == finding.message for f in report)
        else:
            assert not finding.alarm and finding.name in text.partition("seldom the cause: ")[2]


def test_a_symptom_stands_indented_under_the_cause_that_explains_it() -> None:
    lines = printed(Report((CAUSE, SYMPTOM))).splitlines()
    cause = next(i for i, line in enumerate(lines) if line.startswith("error[unscaled-inputs] D01: "))
    symptom = next(i for i, line in enumerate(lines) if "warning[stalled-loss]" in line)
    assert symptom > cause
    assert lines[symptom].startswith("    ")
    assert lines[symptom - 1].strip() == "explains:"


def test_place_steps_and_confidence_follow_the_message() -> None:
    assert "--> conv1 · steps 0–150 · confidence 0.90" in printed(Report((CAUSE,)))


def test_a_hint_that_is_seldom_the_cause_is_no_more_than_named_beside_one_that_is() -> None:
    hint = replace(CAUSE, message="One in ten repeats.", name="duplicate-samples", severity=Severity.INFO,
                   confidence=0.01, explains=())  # fmt: skip
    beside = printed(Report((CAUSE, hint)))
    assert "also seen, and seldom the cause: duplicate-samples" in beside and hint.message not in beside
    assert hint.message in printed(Report((hint,)))


def test_findings_that_explain_each_other_in_a_ring_are_still_shown() -> None:
    ring = [replace(CAUSE, name=a, explained_by=(b,)) for a, b in (("a", "b"), ("b", "c"), ("c", "a"))]
    text = printed(Report(tuple(ring)))
    assert all(text.count(f"error[{name}]") == 1 for name in "abc")


def test_two_findings_of_one_name_do_not_show_their_symptom_twice() -> None:
    text = printed(Report((CAUSE, replace(CAUSE, where=("conv2",)), SYMPTOM)))
    assert text.count("stalled-loss") == 1


def test_markup_and_escape_sequences_in_names_are_printed_not_obeyed() -> None:
    evil = replace(CAUSE, where=("[bold red]x[/]", "\x1b[31mred", "a\nb", "[/closing]"), message="Is :smile: [link=x].")
    text = printed(Report((evil,)))
    assert "[bold red]x[/], \\x1b[31mred, a\\nb, [/closing]" in text
    assert "Is :smile: [link=x]." in text
    assert "\x1b" not in text


def test_a_curve_of_the_rules_own_signal_is_drawn_where_the_run_recorded_one() -> None:
    trace = Trace.of(loss=[2.0, 2.0, 2.0, 2.0, float("nan"), float("nan")])
    assert re.search(r"loss [▁▂▃▄▅▆▇█]+×× 2 → NaN", printed(judge(trace)))


def test_silence_is_accounted_for() -> None:
    needs_lr, short = "needs lr, loss or val_loss, not recorded", "needs 20 steps, got 7"
    report = Report((), ("a", "b"), {"c": needs_lr, "d": needs_lr, "f": short}, {"e": "KeyError: 'x'"})
    why = "not recorded: lr, loss; needs 20 steps, got 7"
    assert tally(report) == f"2 rules quiet, 3 could not run ({why}), 1 crashed"
    assert printed(report).splitlines() == [f"No fault found; {tally(report)}.", "  crashed e: KeyError: 'x'"]


def test_a_rule_that_misses_a_signal_is_counted_as_not_recorded() -> None:
    report = judge(Trace.of(facts={}))
    assert "not recorded: " in tally(report) and "needs" not in tally(report).split(";")[0]


def test_in_a_terminal_long_lines_wrap_under_their_indentation_and_have_colour() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=40, color_system="standard")
    put(console, "word " * 30, indent=4, hang=2)
    lines = file.getvalue().splitlines()
    assert len(lines) > 3
    assert all(len(line) <= 40 for line in lines)
    assert lines[0].startswith("    word") and all(line.startswith("      word") for line in lines[1:])


def test_a_fix_that_is_not_installed_is_named_all_the_same() -> None:
    odd = replace(CAUSE, fixes=(Remedy("of-another-version", {"factor": 0.1}),))
    assert "fix: of-another-version(factor=0.1)" in printed(Report((odd,)))
