"""Reports, findings, cures and runs in a notebook: a fragment of HTML without a script, in the notebook's own colours.

May not: judge, train, write files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import WHOLE
from torchdoctor.show.charts.run import CURVES
from torchdoctor.show.evidence import shown
from torchdoctor.show.on_disk import environment
from torchdoctor.show.proof import effect_of, score_pair
from torchdoctor.show.sparkline import ends, sparkline
from torchdoctor.show.text import tally

if TYPE_CHECKING:
    from torchdoctor.cures.result import Cure
    from torchdoctor.record.run import Run


def finding_html(finding: Finding) -> str:
    """The message, where and when, and the fix as code."""
    return _rendered("finding", shown=finding)


def report_html(report: Report) -> str:
    """Every finding, with the curve that shows it where the run is at hand."""
    return _rendered("report", shown=report, curves=_curves(report))


def cure_html(cure: Cure) -> str:
    """The verdict, the races, what to change, and the findings it began with."""
    return _rendered("cure", shown=cure, curves=_curves(cure.report), scores=score_pair, effect_of=effect_of)


def run_html(run: Run) -> str:
    """The curves of the whole run, those first that a page draws."""
    first = [signal for together in CURVES for signal in together]
    whole = [signal for signal, subjects in run.signals.items() if WHOLE in subjects]
    whole.sort(key=lambda signal: first.index(signal) if signal in first else len(first))
    trace = run.trace(whole)
    rows = [(signal, sparkline(trace[signal]), ends(trace[signal])) for signal in whole if len(trace[signal])]
    others = len(run.signals) - len(whole)
    return _rendered("run", name=run.path.name, steps=run.facts.get("steps", trace.last_step + 1), rows=rows,
                     others=others)  # fmt: skip


def _curves(report: Report) -> list[str]:
    found = (shown(finding, report.trace) for finding in report)
    return [f"{d.label} {sparkline(d.series)} {ends(d.series)}" if d else "" for d in found]


def _rendered(kind: str, **values: Any) -> str:
    return environment().get_template("notebook.html.jinja").render(kind=kind, tally=tally, **values)
