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
from torchdoctor.show.texts import Texts, spoken, texts
from torchdoctor.show.words import listed, place_of, printable, reasons

COLOUR = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
STEP = 2  # columns of one indentation
SELDOM = (
    0.05  # beside others a hint that is the cause in fewer cases gets its name and no more: many drown what matters
)


def print_report(report: Report, file: TextIO | None = None, lang: str = "en") -> None:
    """The whole report, to `file` (default: standard output). Raises BadRecipe for a language not spoken here."""
    put_report(console_for(file), report, spoken(lang))


def put_report(console: Console, report: Report, t: Texts) -> None:
    """The findings, causes first, and how many rules were silent and why."""
    branches = folded(report)
    strong = [b for b in branches if not _is_weak(b)]
    for branch in strong or branches:
        _put_finding(console, branch, report.trace, 0, t)
        put(console)
    if strong and (weak := {b.finding.name: None for b in branches if _is_weak(b)}):
        put(console, Text.assemble((t("also_seen"), "bold cyan"), t("seldom_cause"), ", ".join(map(printable, weak))))
        put(console)
    _put_tally(console, report, t)


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


def _put_finding(console: Console, branch: Folded, trace: Trace | None, indent: int, t: Texts) -> None:
    finding = branch.finding
    put(console, _headline(finding, t), indent)
    if t.said(finding.name):
        put(console, Text(printable(finding.message), "dim"), indent + STEP)
    put(console, _location(finding, t), indent + STEP)
    if drawn := shown(finding, trace):
        curve = Text.assemble((f"{drawn.label} ", "dim"), (sparkline(drawn.series), "cyan"), f" {ends(drawn.series)}")
        put(console, curve, indent + 2 * STEP + 2)
    if finding.fixes:
        _put_fixes(console, finding.fixes, indent + STEP, t)
    if branch.under:
        put(console, t("explains"), indent + STEP)
    for below in branch.under:
        if below.finding.kind == "cause":
            _put_finding(console, below, trace, indent + 2 * STEP, t)
        else:
            _put_symptom(console, below, indent + 2 * STEP, t)


def _put_symptom(console: Console, branch: Folded, indent: int, t: Texts) -> None:
    """A line and no more: what goes away by itself when the cause above it does."""
    put(console, _headline(branch.finding, t), indent)
    for below in branch.under:
        _put_symptom(console, below, indent + STEP, t)


def _headline(finding: Finding, t: Texts) -> Text:
    """What is wrong: in the rule's own words, or in those of a language that has a sentence for it."""
    severity = finding.severity or Severity.INFO
    return Text.assemble(
        (f"{t.word(f'severity.{severity}')}[{printable(finding.name)}]", COLOUR[severity]),
        (f" {printable(finding.code)}{t('colon')}", "dim"),
        (t.said(finding.name) or printable(finding.message), "bold" if finding.kind == "cause" else ""),
    )


def _location(finding: Finding, t: Texts) -> Text:
    where = place_of(finding, t) or t("before_first")
    return Text.assemble(("--> ", "blue"), where, (f" · {t('confidence')} {finding.confidence:.2f}", "dim"))


def _put_fixes(console: Console, fixes: tuple[Remedy, ...], indent: int, t: Texts) -> None:
    best, *others = fixes
    put(console, Text.assemble((t("fix_line"), "green"), call(best)), indent)
    for line in code(best).splitlines():
        put_code(console, line, indent + 2 * STEP)
    if others:
        put(console, Text.assemble((t("or_line"), "green"), listed(map(call, others), t=t)), indent)


def _put_tally(console: Console, report: Report, t: Texts) -> None:
    found = t.count("finding", len(report.findings)) if report.findings else t("none_at_all")
    title = f"{printable(report.title)}{t('colon')}" if report.title else ""
    put(console, Text.assemble((f"{title}{found}", "bold"), t("then_tally", tally=tally(report, t))))
    for name, how in report.crashed.items():
        put(console, Text.assemble((t("crashed_line"), "red"), f"{name}: {printable(how)}"), STEP)
    if report.findings:
        put(console, Text(t("rules_help"), "dim"))


def tally(report: Report, t: Texts | None = None) -> str:
    """ "21 rules quiet, 4 could not run (needs val_loss, not recorded: overfitting ...), 0 crashed" """
    t = t or texts("en")
    why = t("in_brackets", why=reasons(report.not_run)) if report.not_run else ""
    quiet = t.count("rule", len(report.quiet))
    return t("tally_line", quiet=quiet, not_run=len(report.not_run), why=why, crashed=len(report.crashed))
