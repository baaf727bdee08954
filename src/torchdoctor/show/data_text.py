"""What the data are, in a terminal: a few tables that fit a screen. All of it is in the JSON and on the page.

May not: compute, examine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from torchdoctor.judge.trace import Trace
from torchdoctor.show.text import console_for, put
from torchdoctor.show.texts import Texts, texts
from torchdoctor.show.words import listed, number, printable

CLASSES = 20  # of more the most frequent and the rarest are shown; of columns the first
Row = Sequence[str]


def print_data(trace: Trace, title: str, file: TextIO | None = None) -> None:
    """To `file` (default: standard output); plain aligned columns where that is no terminal."""
    console = console_for(file)
    put(console, Text(printable(title), "bold"))
    for head, rows in tables(trace):
        _put_table(console, head, rows)
    for line in (*remarks(trace), *step_remarks(trace)):
        put(console, line)
    put(console)


def tables(trace: Trace, t: Texts | None = None) -> Iterator[tuple[Row, list[Row]]]:
    """(column titles, rows) of each table; the titles are keys, `head.`, of the words."""
    t = t or texts("en")
    parts: Mapping[str, Mapping[str, Any]] = trace.facts.get("parts", {})
    rows: list[Row] = [
        (name, f"{p['samples']:,}", " x ".join(map(str, p["shape"])) or "1", str(p["dtype"]),
         f"{number(p['min'])} .. {number(p['max'])}", f"{number(p['mean'])} ± {number(p['std'])}")
        for name, p in parts.items()
    ]  # fmt: skip
    yield ("part", "samples", "shape", "type", "range", "mean ± std"), rows
    if columns := trace.facts.get("columns", []):
        yield ("column", "range in train", "mean ± std"), [_column(c) for c in columns[:CLASSES]]
    counts: Mapping[str, list[int]] = trace.facts.get("class_counts", {})
    if counts:
        names = trace.facts.get("data", {}).get("classes", [])
        yield ("class", *counts), [(_class(names, c), *row) for c, row in class_rows(counts)]
    compared = [row for part in parts if (row := _compared(trace, part, t))]
    if compared:
        yield ("part", "equal to another", "in training", "nearly in training", "told from training"), compared


def class_rows(counts: Mapping[str, list[int]]) -> list[tuple[int, Row]]:
    """(class, its count in each part); of many classes the most frequent and the rarest in training."""
    train = counts.get("train") or next(iter(counts.values()))
    shown = sorted((c for c in range(len(train)) if any(of[c] for of in counts.values())), key=lambda c: -train[c])
    if len(shown) > CLASSES:
        shown = [*shown[: CLASSES // 2], *shown[-(CLASSES // 2) :]]
    else:
        shown.sort()
    return [(c, tuple(f"{of[c]:,}" for of in counts.values())) for c in shown]


def remarks(trace: Trace) -> Iterator[str]:
    """What is told in a line each, with how many samples it was asked of."""
    score, prior = trace.value("baseline_score"), trace.value("prior_score")
    if score is not None:
        measure = "accuracy" if trace.facts.get("data", {}).get("task") == "classes" else "R2"
        learnt = trace.value("relevance_samples", "learnt from") or 0
        yield (f"A small model, learnt from {learnt:,.0f} samples, scores {score:.3f} ({measure}); without looking "
               f"{number(prior)}, with permuted answers up to {number(trace.value('permuted_score'))}.")  # fmt: skip
    looked, suspects = trace.value("suspect_samples"), trace.value("label_suspects")
    if looked is not None and suspects is not None:
        yield f"Label suspects: {suspects:.0f} of {looked:,.0f} looked at{_of(trace, looked)}."
    if (looked := trace.value("outlier_samples")) is not None:
        yield f"Outliers: {trace.value('outlying_samples'):.0f} of {looked:,.0f} looked at{_of(trace, looked)}."
    missing = {f"{c} ({n:,} in {p})" for p, of in trace.facts.get("missing", {}).items() for c, n in of.items() if n}
    if missing:
        yield f"Missing values: {listed(sorted(missing), 6)}."
    for name, why in trace.facts.get("probe_errors", {}).items():
        yield f"Not examined: {printable(name)}: {printable(why)}"


def step_remarks(trace: Trace) -> Iterator[str]:
    """A line for each step of the augmentation."""
    for step, kept in trace.each("label_kept"):
        told = trace.value("label_told", step)
        yield f"Augmentation {printable(step)}: labels kept {kept.last:.0%} for plain samples, {told:.0%} for changed."
    for step, why in trace.facts.get("augmentation_left_out", {}).items():
        yield f"Augmentation {printable(step)}: not examined, {printable(why)}."


def _column(c: Mapping[str, Any]) -> Row:
    span = f"{number(c['min'])} .. {number(c['max'])}"
    return printable(str(c["name"])), span, f"{number(c['mean'])} ± {number(c['std'])}"


def _compared(trace: Trace, part: str, t: Texts) -> Row | None:
    repeated = trace.value("repeated_samples", part)
    if repeated is None:
        return None
    looked, n = trace.value("near_samples", part), trace.value("part_samples", part)
    near = trace.value("near_duplicates", part)
    sampled = looked is not None and n is not None and looked < n
    score, chance = trace.value("drift_score", part), trace.value("drift_by_chance", part)
    told = t("told_apart", score=max(score, 0.5), chance=chance) if score is not None and chance is not None else ""
    shared = trace.value("shared_samples", part)
    return (part, f"{repeated:,.0f}", "" if shared is None else f"{shared:,.0f}",
            _counted(near, looked if sampled else None, t), told)  # fmt: skip


def _counted(n: float | None, looked: float | None, t: Texts) -> str:
    """How many; of how many where it was a sample."""
    if n is None:
        return ""
    return f"{n:,.0f}" if looked is None else t("of_those", n=int(n), looked=int(looked))


def _of(trace: Trace, looked: float) -> str:
    """That it was a sample, where it was."""
    n = trace.value("part_samples", "train")
    return f", drawn from {n:,.0f}" if n is not None and looked < n else ""


def _class(names: Sequence[str], c: int) -> str:
    return printable(str(names[c])) if c < len(names) else str(c)


def _put_table(console: Console, head: Row, rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for i, title in enumerate(head):
        table.add_column(Text(title), justify="left" if i == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table, soft_wrap=not console.is_terminal)
    put(console)
