"""An option: what ECharts is to draw, as plain JSON values, with what every file of this folder needs to make one.

A text that begins with "$" is a colour of the style sheet ("$error"), which the browser puts in: by day and by night.
May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from torchdoctor.judge.series import Series
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import number, printable

Option = dict[str, Any]
VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]  # even to the eye, also without colours


def plain(value: float, digits: int = 6) -> float | None:
    """Six digits are more than a picture shows; what is not finite leaves a gap."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def points(steps: Iterable[int], values: Iterable[float]) -> list[list[float | int | None]]:
    """[[step, value], ...]"""
    return [[int(step), plain(value)] for step, value in zip(steps, values)]


def step_axis(series: Iterable[Series], t: Texts) -> Option:
    """From the first step of any of them to the last."""
    first, last = zip(*((int(s.steps[0]), int(s.steps[-1])) for s in series))
    return {"type": "value", "min": min(first), "max": max(last), "name": t("step")}


def alt(lines: Mapping[str, Series]) -> Option:
    """For people who do not see the picture."""
    said = [f"{printable(name)}: {number(s.first)} … {number(s.last)}" for name, s in list(lines.items())[:8]]
    return {"label": "; ".join(said)}
