"""Run the rules over a trace: one broken rule hides no other, and a rule that could not run says why.

May not: print, read files, import torch, name any rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from torchdoctor.discover import discover
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.likelihoods import LIKELIHOODS
from torchdoctor.judge.odds import Likelihoods
from torchdoctor.judge.ranking import ranked
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import CannotSay, Rule
from torchdoctor.judge.trace import Trace


def judge(
    trace: Trace,
    rules: Iterable[Rule] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    title: str = "",
    table: Likelihoods | None = LIKELIHOODS,
) -> Report:
    """Every rule over the trace. Default: all installed ones that are not in preview and are for the trace's stage; of
    a trace that names none all are asked, since anything may have been logged.

    options: rule name -> thresholds to use instead of the rule's own. table: what makes a probability of a rule's own
    confidence in a cause; None leaves it as the rule gave it.
    """
    chosen = tuple((r for r in all_rules() if trace.stage in ("", *r.stages)) if rules is None else rules)
    findings: list[Finding] = []
    quiet: list[str] = []
    not_run: dict[str, str] = {}
    crashed: dict[str, str] = {}
    for rule in chosen:
        if missing := rule.missing(trace):
            not_run[rule.name] = _lacking(missing, trace)
            continue
        try:
            said = list(rule.judge(trace, **(options or {}).get(rule.name, {})))
        except CannotSay as why:
            not_run[rule.name] = str(why)
            continue
        except Exception as error:  # noqa: BLE001 - the one broad except of the engine: a rule's bug is a result, not an end
            crashed[rule.name] = f"{type(error).__name__}: {error}"
            continue
        findings += [_stamp(f, rule) for f in said]
        if not said:
            quiet.append(rule.name)
    return Report(ranked(findings, table), tuple(quiet), not_run, crashed, title, trace)


def all_rules() -> tuple[Rule, ...]:
    """The installed rules that are on by default, by code."""
    return tuple(sorted((r for r in discover("rules", Rule).values() if not r.preview), key=lambda r: r.code))


def _lacking(missing: list[str], trace: Trace) -> str:
    """What was not recorded, and why where the recorder knew."""
    off = trace.facts.get("signals_off", {})
    why = next((str(off[name]) for need in missing for name in need.split("|") if name in off), "")
    needs = ", ".join(need.replace("|", " or ") for need in missing)
    return f"needs {needs}, not recorded" + (f" ({why})" if why else "")


def _stamp(finding: Finding, rule: Rule) -> Finding:
    return replace(
        finding,
        name=rule.name, code=rule.code, kind=rule.kind, place=rule.place, explains=rule.explains,
        severity=finding.severity or rule.severity,
    )  # fmt: skip
