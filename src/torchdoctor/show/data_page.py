"""What the data are, as one HTML page that opens from disk: no server, nothing fetched.

May not: examine, judge, leave half a file behind.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchdoctor.examine.material import Material
from torchdoctor.examine.samples_shown import Changed, unit_picture
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.show.contact_sheet import SheetRow, contact_sheet
from torchdoctor.show.data_text import class_rows, remarks, tables
from torchdoctor.show.html import written
from torchdoctor.show.on_disk import rendered
from torchdoctor.show.picture import picture
from torchdoctor.show.texts import Texts, spoken
from torchdoctor.show.words import number

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
    trace: Trace,
    report: Report,
    material: Material,
    path: Path,
    *,
    title: str,
    changed: Sequence[Changed] = (),
    lang: str = "en",
) -> Path:
    """The page; returns the path. Raises BadRun when it cannot be written there."""
    t = spoken(lang)
    page = rendered(
        "data_page.html.jinja", t=t, title=title, report=report, tables=list(_tables(trace, t)),
        classes=_classes(trace), remarks=list(remarks(trace)), galleries=galleries(trace, material, t),
        sheet=sheet(changed), steps=_steps(trace), left_out=trace.facts.get("augmentation_left_out", {}),
    )  # fmt: skip
    return written(path, page)


def galleries(trace: Trace, material: Material, t: Texts) -> list[tuple[str, list[Shown]]]:
    """(what they are, samples) of those that hold any; what they are is a key, `gallery.` and `gallery_hint.`, of the
    words."""
    every = ((title, list(samples)) for title, samples in _galleries(trace, material, t))
    return [gallery for gallery in every if gallery[1]]


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


def _tables(trace: Trace, t: Texts) -> Iterator[Any]:
    """All but the classes, which are drawn."""
    yield from ((head, rows) for head, rows in tables(trace, t) if head[0] != "class")


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


def _steps(trace: Trace) -> list[dict[str, Any]]:
    """Of every step that was examined: name, and shares: kept, told, relabelled, and that of plain samples."""
    plain = trace.value("relabelled_share", "") or 0.0
    return [
        {"name": name, "kept": kept.last, "told": trace.value("label_told", name),
         "relabelled": trace.value("relabelled_share", name), "plain": plain}
        for name, kept in trace.each("label_kept")
    ]  # fmt: skip


def _galleries(trace: Trace, material: Material, t: Texts) -> Iterator[tuple[str, Iterator[Shown]]]:
    suspects = trace.facts.get("label_suspects", [])[:SHOWN]
    yield "Label suspects", (
        _shown(material, "train", s["row"], t("looks_like", label=_class(material, s["label"]),
                                              other=_class(material, s["looks_like"])))
        for s in suspects
    )  # fmt: skip
    twins = trace.facts.get("duplicates", [])
    across = [p for p in twins if p[0] != p[2]] + [p for p in twins if p[0] == p[2]]
    yield "Duplicates", _pairs(material, across[:PAIRS], t)
    near = sorted(trace.facts.get("near_duplicates", []), key=lambda p: p[0] == p[2])
    yield "Near duplicates", _pairs(material, near[:PAIRS], t)
    outliers = trace.facts.get("outliers", [])[:SHOWN]
    yield "Outliers", (_shown(material, "train", row, t("times_as_far", times=number(size))) for row, size in outliers)


def _pairs(material: Material, pairs: Sequence[Sequence[Any]], t: Texts) -> Iterator[Shown]:
    for part, row, other, there in pairs:
        yield _shown(material, part, row, t("and_beside", target=_target(material, part, row)))
        yield _shown(material, other, there, _target(material, other, there))


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
