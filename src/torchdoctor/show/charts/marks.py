"""Lines across a chart, at the steps where something began.

May not: write HTML, read files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from torchdoctor.judge.finding import Finding
from torchdoctor.judge.series import Series
from torchdoctor.show.charts.option import Option
from torchdoctor.show.texts import Texts

MARKS = 8  # on one curve
NEAR, LATE = 0.25, 0.7  # shares of the axis: labels nearer than that would touch, later ones run over the edge
ROW = 13  # pixels of a line of text
_RANK = ["info", "warning", "error"]


@dataclass(frozen=True)
class Mark:
    """A line across a chart, at a step. colour: of the style sheet."""

    step: int
    label: str
    colour: str


def marks_of(findings: Iterable[Finding]) -> list[Mark]:
    """Where the alarms began; those of one step share a line, in the colour of the worst."""
    at: dict[int, list[Finding]] = {}
    for f in findings:
        if f.steps and f.alarm:
            at.setdefault(f.steps[0], []).append(f)
    worst = {step: max((str(f.severity) for f in some), key=_RANK.index) for step, some in at.items()}
    labels = {step: " ".join(dict.fromkeys(f.code for f in some)) for step, some in at.items()}
    return [Mark(step, labels[step], f"${worst[step]}") for step in sorted(at)][:MARKS]


def lost(series: Iterable[Series], t: Texts) -> list[Mark]:
    """Where a curve first is NaN or infinite."""
    first = [int(s.steps[~np.isfinite(s.values)][0]) for s in series if not np.isfinite(s.values).all()]
    return [Mark(min(first), t("not_finite"), "$error")] if first else []


def zeros(series: Iterable[Series], t: Texts) -> list[Mark]:
    """Where a curve first is exactly zero, for which a logarithmic axis has no place."""
    first = [int(s.steps[s.values == 0][0]) for s in series if (s.values == 0).any()]
    return [Mark(min(first), t("is_zero"), "$quiet")] if first else []


def marked(marks: Sequence[Mark], band: tuple[int, int] | None, span: tuple[int, int]) -> Option:
    """What a series carries: the lines, and a band over the steps that matter, unless these are all of the span."""
    lines = [
        {"xAxis": m.step, "name": m.label, "lineStyle": {"color": m.colour},
         "label": {"formatter": m.label, "align": "right" if _along(m, span) > LATE else "left", "offset": [0, down]}}
        for m, down in zip(marks, _rows(marks, span))
    ]  # fmt: skip
    part = band is not None and (band[0] > span[0] or band[1] < span[1])
    area = {
        "silent": True,
        "itemStyle": {"color": "$band"},
        "data": [[{"xAxis": band[0]}, {"xAxis": band[1]}]] if band and part else [],
    }
    return {"markLine": {"symbol": "none", "data": lines}, "markArea": area}


def _rows(marks: Sequence[Mark], span: tuple[int, int]) -> list[int]:
    """How far down each label stands, so that neighbours do not lie on one another."""
    down = dict.fromkeys(marks, 0)
    order = sorted(marks, key=lambda m: m.step)
    for before, mark in pairwise(order):
        if _along(mark, span) - _along(before, span) < NEAR:
            down[mark] = (down[before] + ROW) % (3 * ROW)
    return [down[mark] for mark in marks]


def _along(mark: Mark, span: tuple[int, int]) -> float:
    """0..1"""
    return (mark.step - span[0]) / max(1, span[1] - span[0])
