"""Findings in a terminal, like the messages of a good compiler: what, where, the numbers, the fix.

Plain text, one line each, where the output is not a terminal. Names and messages are never read as markup.
May not: judge, compute statistics, train.
"""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.text import Text

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.show.evidence import shown
from torchdoctor.show.folding import Folded, folded
from torchdoctor.show.remedy import call, code
from torchdoctor.show.sparkline import ends, sparkline
from torchdoctor.show.words import count, listed, place_of, printable, reasons

COLOUR = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
STEP = 2  # columns of one indentation
SELDOM = (
    0.05  # beside others a hint that is the cause in fewer cases gets its name and no more: many drown what matters
)


def print_report(report: Report, file: TextIO | None = None) -> None:
    """The whole report, to `file` (default: standard output)."""
    put_report(console_for(file), report)


def put_report(console: Console, report: Report) -> None:
    """The findings, causes first, and how many rules were silent and why."""
    branches = folded(report)
    strong = [b for b in branches if not _is_weak(b)]
    for branch in strong or branches:
        _put_finding(console, branch, report.trace, 0)
        put(console)
    if strong and (weak := {b.finding.name: None for b in branches if _is_weak(b)}):
        put(
            console,
            Text.assemble(("also seen", "bold cyan"), f", and seldom the cause: {', '.join(map(printable, weak))}"),
        )
        put(console)
    _put_tally(console, report)


def _is_weak(branch: Folded) -> bool:
    finding = branch.finding
    return not finding.alarm and finding.kind == "cause" and finding.confidence < SELDOM and not branch.under


def console_for(file: TextIO | None = None) -> Console:
    """Colours only in a terminal (or where FORCE_COLOR asks for them), and no colouring of numbers anywhere."""
    return Console(file=file, highlight=False, markup=False, emoji=False)


def put(console: Console, text: Text | str = "", indent: int = 0, hang: int = 0) -> None:
    """One paragraph: in a terminal wrapped under its indentation (further lines by `hang` more), in a file one line."""
    text = Text(text) if isinstance(text, str) else text
    width = max(20, console.width - indent - hang)
    lines = text.wrap(console, width) if console.is_terminal else [text]
    for i, line in enumerate(lines):
        line.rstrip()
        console.print(Text(" " * (indent + (hang if i else 0))) + line, soft_wrap=True)


def put_code(console: Console, line: str, indent: int, style: str = "green") -> None:
    """A line to copy: never broken by us."""
    console.print(Text(" " * indent + printable(line), style), soft_wrap=True)


def _put_finding(console: Console, branch: Folded, trace: Trace | None, indent: int) -> None:
    finding = branch.finding
    put(console, _headline(finding), indent)
    put(console, _location(finding), indent + STEP)
    if drawn := shown(finding, trace):
        curve = Text.assemble((f"{drawn.label} ", "dim"), (sparkline(drawn.series), "cyan"), f" {ends(drawn.series)}")
        put(console, curve, indent + 2 * STEP + 2)
    if finding.fixes:
        _put_fixes(console, finding.fixes, indent + STEP)
    if branch.under:
        put(console, "explains:", indent + STEP)
    for below in branch.under:
        if below.finding.kind == "cause":
            _put_finding(console, below, trace, indent + 2 * STEP)
        else:
            _put_symptom(console, below, indent + 2 * STEP)


def _put_symptom(console: Console, branch: Folded, indent: int) -> None:
    """A line and no more: what goes away by itself when the cause above it does."""
    put(console, _headline(branch.finding), indent)
    for below in branch.under:
        _put_symptom(console, below, indent + STEP)


def _headline(finding: Finding) -> Text:
    severity = finding.severity or Severity.INFO
    return Text.assemble(
        (f"{severity}[{printable(finding.name)}]", COLOUR[severity]),
        (f" {printable(finding.code)}: ", "dim"),
        (printable(finding.message), "bold" if finding.kind == "cause" else ""),
    )


def _location(finding: Finding) -> Text:
    where = place_of(finding) or "before the first step"
    return Text.assemble(("--> ", "blue"), where, (f" · confidence {finding.confidence:.2f}", "dim"))


def _put_fixes(console: Console, fixes: tuple[Remedy, ...], indent: int) -> None:
    best, *others = fixes
    put(console, Text.assemble(("fix: ", "green"), call(best)), indent)
    for line in code(best).splitlines():
        put_code(console, line, indent + 2 * STEP)
    if others:
        put(console, Text.assemble(("or:  ", "green"), listed(map(call, others))), indent)


def _put_tally(console: Console, report: Report) -> None:
    found = f"{count(len(report.findings), 'finding')}" if report.findings else "No fault found"
    title = f"{printable(report.title)}: " if report.title else ""
    put(console, Text.assemble((f"{title}{found}", "bold"), f"; {tally(report)}."))
    for name, how in report.crashed.items():
        put(console, Text.assemble(("crashed ", "red"), f"{name}: {printable(how)}"), STEP)
    if report.findings:
        put(console, Text("`torchdoctor rules NAME` says how a rule decides and when it is wrong.", "dim"))


def tally(report: Report) -> str:
    """ "21 rules quiet, 4 could not run (needs val_loss, not recorded: overfitting ...), 0 crashed" """
    why = f" ({reasons(report.not_run)})" if report.not_run else ""
    quiet = f"{count(len(report.quiet), 'rule')} quiet"
    return f"{quiet}, {len(report.not_run)} could not run{why}, {len(report.crashed)} crashed"
