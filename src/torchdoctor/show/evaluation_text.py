"""An evaluation in a terminal: a few tables that fit a screen. All of it is in the JSON and on the page.

May not: compute, evaluate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from torchdoctor.evaluate.classes import ClassScore
from torchdoctor.evaluate.compare import Comparison
from torchdoctor.evaluate.evaluation import Evaluation
from torchdoctor.evaluate.interval import Interval
from torchdoctor.evaluate.samples import Sample
from torchdoctor.show.text import console_for, put
from torchdoctor.show.words import chance, count, listed, number, printable, within

CLASSES = 12  # of more the worst are shown
WIDE = 160  # columns of a file, which has no edge
Row = Sequence[str]


def print_evaluation(found: Evaluation, title: str = "", file: TextIO | None = None) -> None:
    """To `file` (default: standard output); plain aligned columns where that is no terminal."""
    console = console_for(file)
    if not console.is_terminal:
        console.width = WIDE
    if title:
        put(console, Text(printable(title), "bold"))
    for head, rows in tables(found):
        _put_table(console, head, rows)
    for line in remarks(found):
        put(console, line)


def tables(found: Evaluation) -> Iterator[tuple[Row, list[Row]]]:
    """(column titles, rows) of each table."""
    yield (
        ("part", "samples", f"{found.measure} [95 %]", "loss"),
        [(part, f"{s.samples:,}", interval(s.score), number(s.loss)) for part, s in found.scores.items()],
    )
    compared = [*found.baselines, *([found.against] if found.against else [])]
    if compared:
        what = "R2" if found.kind == "numbers" else "accuracy"
        yield ("compared with", f"its {what}", "lead of the model", "p"), [_compared(c) for c in compared]
    if found.by_class:
        title, shown = _classes(found)
        rows: list[Row] = [
            (printable(c.name), f"{c.count:,}", *map(interval, (c.recall, c.precision, c.f1))) for c in shown
        ]
        yield (title, "samples", "recall", "precision", "F1"), rows
    if found.regions:
        yield (
            ("class", "share of pixels", "IoU [95 %]", "Dice"),
            [(printable(r.name), f"{r.share:.1%}", interval(r.iou), interval(r.dice)) for r in found.regions],
        )
    if found.averages:
        yield ("over all", "value [95 %]"), [(name, interval(value)) for name, value in found.averages.items()]
    if found.residuals is not None:
        r = found.residuals
        yield ("error", "value [95 %]"), [
            ("mean absolute", interval(r.mae)), ("root mean square", interval(r.rmse)), ("bias", interval(r.bias))
        ]  # fmt: skip
    worse = [s for s in found.slices if s.worse]
    if worse:
        yield (
            ("worse than the rest", "samples", "score", "p"),
            [(printable(f"{s.column} {s.group}"), f"{s.count:,}", interval(s.score), chance(s.p_value)) for s in worse],
        )


def remarks(found: Evaluation) -> Iterator[str]:
    """What needs no table, a sentence each."""
    if found.calibration is not None:
        yield _calibration(found)
    for moved in found.thresholds:
        if moved.after.value > moved.before.value:
            yield (
                f"Called from a probability of {moved.value:.2f} on instead of 0.50 (fitted on validation), "
                f"{printable(moved.name)} has an F1 of {interval(moved.after)} instead of {interval(moved.before)}."
            )
    if found.robustness is not None:
        yield from _robustness(found)
    if found.bottlenecks is not None:
        yield from _bottlenecks(found)
    if found.suspects:
        yield f"Labels in doubt: {found.suspect_count:,}; first {_places(found.suspects)}."
    if found.hard:
        yield f"Hardest samples, worth labelling twice: {_places(found.hard)}."
    if found.worst:
        yield f"Worst answers: {_places(found.worst)}."
    for name, why in found.left_out.items():
        yield f"Left out: {name} ({printable(why)})."


def interval(i: Interval) -> str:
    """0.955 [0.914, 0.977]; "–" where it is not defined."""
    return within(i.value, i.low, i.high)


def _classes(found: Evaluation) -> tuple[str, Sequence[ClassScore]]:
    """(what the column is called, all of them or the worst)."""
    every = found.by_class
    if len(every) <= CLASSES:
        return "label" if found.kind == "labels" else "class", every
    return f"worst {CLASSES} of {len(every)} classes", sorted(every, key=lambda c: c.recall.value)[:CLASSES]


def _compared(c: Comparison) -> Row:
    return (printable(c.other), interval(c.score), interval(c.lead), chance(c.p_value))


def _calibration(found: Evaluation) -> str:
    c = found.calibration
    assert c is not None
    said = "within what chance shows" if c.error <= c.noise else "too sure" if c.gap > 0 else "not sure enough"
    line = f"Calibration error {c.error:.3f}, {said} (noise up to {c.noise:.3f})."
    if c.temperature is not None and c.error_after is not None:
        line += f" Temperature {c.temperature:.2f}, fitted on validation, makes it {c.error_after:.3f}."
    return line


def _robustness(found: Evaluation) -> Iterator[str]:
    r = found.robustness
    assert r is not None
    unit = (lambda v: f"{v:.0%}") if found.kind == "classes" else number
    for name, points in r.curves.items():
        course = ", ".join(f"{unit(p.score.value)} at {p.degree:.2g}" for p in points)
        yield f"Under {name}: {course}."
    if failed := [f"{t.name} ({t.said})" for t in r.self_tests if not t.passed]:
        yield f"The attack failed its own test: {listed(failed)}; the model may be less robust than it looks."


def _bottlenecks(found: Evaluation) -> Iterator[str]:
    b = found.bottlenecks
    assert b is not None
    if b.full_at is not None:
        best = max(p.score.value for p in b.probes)
        yield f"A linear classifier reads {best:.1%} off the layers; {b.full_at} is the first that gives as much."
    if b.falls_at:
        yield f"Significantly less can be read at {listed(b.falls_at)}."
    slow = sorted(b.times, key=lambda t: -t.share)[:3]
    yield f"Slowest layers: {listed(f'{t.layer} {t.share:.0%}' for t in slow)} of {count(len(b.times), 'layer')}."


def _places(samples: Iterable[Sample]) -> str:
    return listed((s.index for s in samples), 10)


def _put_table(console: Console, head: Row, rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for i, title in enumerate(head):
        table.add_column(title, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
    put(console)
