"""An evaluation as one HTML page that opens from disk: no server, no script, nothing fetched.

May not: evaluate, judge, leave half a file behind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from torchdoctor.data.batch import first_tensor
from torchdoctor.evaluate.answers import picked
from torchdoctor.evaluate.evaluation import Evaluation
from torchdoctor.evaluate.interval import Interval
from torchdoctor.evaluate.naming import Naming
from torchdoctor.evaluate.samples import Sample
from torchdoctor.judge.report import Report
from torchdoctor.parts import Loader
from torchdoctor.show.evaluation_text import chance, interval
from torchdoctor.show.html import written
from torchdoctor.show.picture import picture
from torchdoctor.show.plot import Plot, plot, ticks
from torchdoctor.show.words import count, number, place_of, printable

UNIT = (0.0, 1.0)
DRAWN = 4  # curves in colour; more would not be told apart
UNNAMED = Naming()


def write_evaluation(
    found: Evaluation,
    path: Path,
    *,
    title: str,
    report: Report | None = None,
    loader: Loader | None = None,
    naming: Naming = UNNAMED,
) -> Path:
    """The page; returns the path. loader: of the evaluated part, for pictures or rows of samples; naming: what these
    are called. report: what the rules said of it. Raises BadRun when it cannot be written there."""
    shown = {} if loader is None else shown_samples(found, loader, naming)
    drawn = {"shown": shown, "plots": _plots(found), "axes": _axes(found)}
    return written(path, _template().render(title=title, found=found, report=report, **drawn))


def shown_samples(found: Evaluation, loader: Loader, naming: Naming = UNNAMED) -> Mapping[int, Mapping[str, str]]:
    """{index: {"name": ..., and "picture": data URI or "row": its words or numbers}} of every sample that is listed."""
    indices = sorted({s.index for s in (*found.worst, *found.hard, *found.suspects)})
    if not indices:
        return {}
    x = first_tensor(picked(loader, indices)[0])
    pictures = x.ndim == 4 and x.is_floating_point()
    low, high = (float(x.min()), float(x.max())) if pictures else (0.0, 1.0)
    return {
        i: {
            "name": naming.sample(found.on, i),
            "picture" if pictures else "row": picture(one.numpy(), low, high, 84) if pictures else naming.row(one),
        }
        for i, one in zip(indices, x)
    }


def _plots(found: Evaluation) -> Mapping[str, list[Plot]]:
    return {name: list(make(found)) for name, make in
            (("curves", _curves), ("calibration", _reliability), ("robustness", _robustness), ("residuals", _residuals))
    }  # fmt: skip


def _curves(found: Evaluation) -> Iterator[Plot]:
    """The classes with the smallest areas; the others would lie on top of one another."""
    if not found.curves:
        return
    worst = sorted(found.curves, key=lambda c: c.roc_area)[:DRAWN]
    yield plot("ROC", "false alarms", "hits", {f"{c.name}, area {c.roc_area:.4f}": c.roc for c in worst},
               guide=((0, 0), (1, 1)), x_span=UNIT, y_span=UNIT)  # fmt: skip
    worst = sorted(found.curves, key=lambda c: c.pr_area)[:DRAWN]
    yield plot("Precision and recall", "recall", "precision", {f"{c.name}, area {c.pr_area:.4f}": c.pr for c in worst},
               x_span=UNIT, y_span=UNIT)  # fmt: skip


def _reliability(found: Evaluation) -> Iterator[Plot]:
    c = found.calibration
    if c is None:
        return
    for title, bins in (("Before", c.bins), (f"After temperature {number(c.temperature)}", c.bins_after)):
        if bins:
            points = [(b.confidence, b.accuracy) for b in bins]
            ends = [(b.confidence, b.accuracy_low, b.accuracy_high) for b in bins]
            yield plot(title, "confidence", "share that is right", {"": points}, bars=ends, dots=points,
                       guide=((0, 0), (1, 1)), x_span=UNIT, y_span=UNIT)  # fmt: skip


def _robustness(found: Evaluation) -> Iterator[Plot]:
    r = found.robustness
    if r is None:
        return
    what, span = ("accuracy", UNIT) if found.kind == "classes" else ("root mean squared error", None)
    named = {"noise": "standard deviations of noise", "blur": "width of the blur, share of the side",
             "contrast": "share of the contrast that is left"}  # fmt: skip
    for name, label in named.items():
        if name in r.curves:
            points = [(p.degree, p.score.value) for p in r.curves[name]]
            clean = (1.0 if name == "contrast" else 0.0, r.clean.value)
            bars = [(p.degree, p.score.low, p.score.high) for p in r.curves[name]]
            yield plot(name.capitalize(), label, what, {"": sorted([clean, *points])}, bars=bars, y_span=span)
    lines = {name.upper(): [(p.degree, p.score.value) for p in r.curves[name]] for name in ("fgsm", "pgd")}
    yield plot("On purpose", "largest change, share of the range", what, lines, y_span=span)


def _residuals(found: Evaluation) -> Iterator[Plot]:
    if found.residuals is None:
        return
    points = found.residuals.drawn
    ends = [float(f(np.asarray(points))) for f in (np.min, np.max)]
    span = (ends[0], ends[1]) if ends[1] > ends[0] else (ends[0] - 0.5, ends[0] + 0.5)
    yield plot("Answers", "truth", "answer", dots=points, guide=((span[0], span[0]), (span[1], span[1])),
               x_span=span, y_span=span)  # fmt: skip


def _axes(found: Evaluation) -> Mapping[str, tuple[float, float]]:
    """(left end, right end) of the bars of each table, round numbers that hold all its intervals."""
    layers = found.bottlenecks.probes if found.bottlenecks is not None else ()
    against = [found.against] if found.against is not None else []
    return {
        "scores": axis(part.score for part in found.scores.values()),
        "leads": axis((c.lead for c in (*found.baselines, *against)), hold=0.0),
        "classes": axis(i for c in found.by_class for i in (c.recall, c.precision)),
        "slices": axis(s.score for s in found.slices),
        "layers": axis(p.score for p in layers),
    }


def axis(intervals: Iterable[Interval], hold: float | None = None) -> tuple[float, float]:
    """Round ends that hold every interval, and `hold`; 0..1 where there is none."""
    every = [v for i in intervals for v in (i.low, i.high) if math.isfinite(v)] + ([] if hold is None else [hold])
    if not every or max(every) <= min(every):
        return UNIT
    step = ticks((min(every), max(every)))
    width = step[1] - step[0] if len(step) > 1 else max(every) - min(every)
    return math.floor(min(every) / width + 1e-9) * width, math.ceil(max(every) / width - 1e-9) * width


def told(sample: Sample) -> str:
    """Under a picture: "7, called 1 (98 %)"."""
    if sample.confidence != sample.confidence:
        return f"{sample.truth}, answered {sample.guess}"
    verb = "called" if sample.guess != sample.truth else "rightly"
    return f"{sample.truth}, {verb} {sample.guess} ({sample.confidence:.0%})"


@cache
def _template() -> Template:
    page = Environment(loader=PackageLoader("torchdoctor", "show"), autoescape=True, undefined=StrictUndefined)
    page.trim_blocks = page.lstrip_blocks = True
    page.filters |= {"number": number, "count": count, "printable": printable, "place": place_of}
    page.filters |= {"interval": interval, "chance": chance, "told": told}
    return page.get_template("evaluation_page.html.jinja")
