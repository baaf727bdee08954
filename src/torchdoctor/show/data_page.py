"""What the data are, as one HTML page that opens from disk: no server, no script, nothing fetched.

May not: examine, judge, leave half a file behind.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from torchdoctor.examine.material import Material
from torchdoctor.examine.samples_shown import Changed, unit_picture
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.show.contact_sheet import SheetRow, contact_sheet
from torchdoctor.show.data_text import class_rows, remarks, tables
from torchdoctor.show.html import written
from torchdoctor.show.picture import picture
from torchdoctor.show.words import count, number, place_of, printable

SHOWN = 24  # samples of a gallery
PAIRS = 12  # twins
COLUMNS = 12  # of a row


@dataclass(frozen=True)
class Shown:
    """A sample in a gallery: what is under it, and a picture (data URI) or its numbers."""

    caption: str
    name: str
    picture: str = ""
    row: str = ""


def write_data(
    trace: Trace, report: Report, material: Material, path: Path, *, title: str, changed: Sequence[Changed] = ()
) -> Path:
    """The page; returns the path. Raises BadRun when it cannot be written there."""
    page = _template().render(
        title=title, report=report, tables=list(_tables(trace)), classes=_classes(trace), remarks=list(remarks(trace)),
        galleries=galleries(trace, material), sheet=sheet(changed), steps=_steps(trace),
    )  # fmt: skip
    return written(path, page)


def galleries(trace: Trace, material: Material) -> list[tuple[str, str, list[Shown]]]:
    """(title, what they are, samples) of those that hold any."""
    every = ((title, what, list(samples)) for title, what, samples in _galleries(trace, material))
    return [gallery for gallery in every if gallery[2]]


def sheet_png(changed: Sequence[Changed], title: str) -> bytes:
    """The contact sheet: each sample, each step alone, then the whole policy again and again."""
    rows = [
        SheetRow(
            c.label,
            c.original,
            [picture for _, picture in (*c.by_step, *c.copies)],
            [caption for caption, _ in (*c.by_step, *c.copies)],
        )
        for c in changed
    ]
    return contact_sheet(title, rows)


def _tables(trace: Trace) -> Iterator[Any]:
    """All but the classes, which are drawn."""
    yield from ((head, rows) for head, rows in tables(trace) if head[0] != "class")


def _classes(trace: Trace) -> Any:
    """(parts, [(name, counts as text, percentage of the part's most frequent)])"""
    counts = trace.facts.get("class_counts", {})
    if not counts:
        return None
    names = trace.facts.get("data", {}).get("classes", [])
    rows = [
        (str(names[c]) if c < len(names) else str(c), texts, [100 * of[c] / (max(of) or 1) for of in counts.values()])
        for c, texts in class_rows(counts)
    ]
    return list(counts), rows


def _steps(trace: Trace) -> list[tuple[str, str, str, str]]:
    plain = trace.value("relabelled_share", "") or 0.0
    examined = [
        (name, f"{kept.last:.0%}", f"{trace.value('label_told', name):.0%}",
         f"{trace.value('relabelled_share', name):.1%} (plain {plain:.1%})")
        for name, kept in trace.each("label_kept")
    ]  # fmt: skip
    left = trace.facts.get("augmentation_left_out", {})
    return [*examined, *((name, f"not examined, {why}", "", "") for name, why in left.items())]


def _galleries(trace: Trace, material: Material) -> Iterator[tuple[str, str, Iterator[Shown]]]:
    """(title, what they are, samples)"""
    suspects = trace.facts.get("label_suspects", [])[:SHOWN]
    yield ("Label suspects", "Samples whose label a small model finds least plausible that was not shown them.",
           (_shown(material, "train", s["row"], f"labelled {_class(material, s['label'])}, looks like "
                   f"{_class(material, s['looks_like'])}") for s in suspects))  # fmt: skip
    twins = trace.facts.get("duplicates", [])
    across = [p for p in twins if p[0] != p[2]] + [p for p in twins if p[0] == p[2]]
    yield "Duplicates", "Equal bit for bit; those across parts first.", _pairs(material, across[:PAIRS])
    near = sorted(trace.facts.get("near_duplicates", []), key=lambda p: p[0] == p[2])
    yield ("Near duplicates", "Far nearer to one training sample than to the next ones; those across parts first.",
           _pairs(material, near[:PAIRS]))  # fmt: skip
    outliers = trace.facts.get("outliers", [])[:SHOWN]
    yield ("Outliers", "Farthest from their neighbours, in times of the usual distance.",
           (_shown(material, "train", row, f"{size:.3g} times as far") for row, size in outliers))  # fmt: skip


def _pairs(material: Material, pairs: Sequence[Sequence[Any]]) -> Iterator[Shown]:
    for part, row, other, there in pairs:
        yield _shown(material, part, row, f"{_target(material, part, row)}, and beside it")
        yield _shown(material, other, there, f"{_target(material, other, there)}")


def _shown(material: Material, part: str, row: int, caption: str) -> Shown:
    name = material.name(part, row)
    if material.kind == "pictures":
        return Shown(caption, name, picture=picture(unit_picture(material, part, row), 0, 1, smallest=84))
    values = material.parts[part].x[row].flatten()
    text = ", ".join(number(v) for v in values[:COLUMNS].tolist()) + (", …" if len(values) > COLUMNS else "")
    return Shown(caption, name, row=text)


def _target(material: Material, part: str, row: int) -> str:
    y = material.parts[part].y[row]
    return _class(material, int(y)) if material.task == "classes" else number(float(y.flatten()[0]))


def _class(material: Material, c: int) -> str:
    return material.classes[c] if material.classes else str(c)


def sheet(changed: Sequence[Changed]) -> str:
    """What augmentation makes of a few samples, as a data URI; "" where there is none."""
    if not changed:
        return ""
    png = sheet_png(changed, "at the left as it is; each step alone; then all of them")
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


@cache
def _template() -> Template:
    page = Environment(loader=PackageLoader("torchdoctor", "show"), autoescape=True, undefined=StrictUndefined)
    page.trim_blocks = page.lstrip_blocks = True
    page.filters |= {"count": count, "printable": printable, "place": place_of}
    return page.get_template("data_page.html.jinja")
