"""An evaluation as one HTML page that opens from disk: no server, nothing fetched.

May not: evaluate, judge, leave half a file behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from torchdoctor.data.batch import first_tensor
from torchdoctor.evaluate.answers import picked
from torchdoctor.evaluate.evaluation import Evaluation
from torchdoctor.evaluate.interval import Interval
from torchdoctor.evaluate.naming import Naming
from torchdoctor.evaluate.samples import Sample
from torchdoctor.judge.report import Report
from torchdoctor.parts import Loader
from torchdoctor.show.charts.evaluation import pictures
from torchdoctor.show.evaluation_text import interval
from torchdoctor.show.html import written
from torchdoctor.show.on_disk import rendered
from torchdoctor.show.picture import picture
from torchdoctor.show.texts import Texts, spoken
from torchdoctor.show.words import chance

UNIT = (0.0, 1.0)
UNNAMED = Naming()
Span = tuple[float, float]


def write_evaluation(
    found: Evaluation,
    path: Path,
    *,
    title: str,
    report: Report | None = None,
    loader: Loader | None = None,
    naming: Naming = UNNAMED,
    lang: str = "en",
) -> Path:
    """The page; returns the path. loader: of the evaluated part, for pictures or rows of samples; naming: what these
    are called. report: what the rules said of it. Raises BadRun when it cannot be written there."""
    t = spoken(lang)
    shown = {} if loader is None else shown_samples(found, loader, naming)
    charts = pictures(found.to_dict(), t)
    charts.pop("confusion", None)  # it is a table here
    page = rendered("evaluation_page.html.jinja", charts, t=t, title=title, found=found, report=report, shown=shown,
                    axes=_axes(found), interval=interval, chance=chance, caption=told(found.kind, t))  # fmt: skip
    return written(path, page)


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


def _axes(found: Evaluation) -> Mapping[str, tuple[float, float]]:
    """(left end, right end) of the bars of each table, round numbers that hold all its intervals."""
    layers = found.bottlenecks.probes if found.bottlenecks is not None else ()
    against = [found.against] if found.against is not None else []
    return {
        "scores": axis(part.score for part in found.scores.values()),
        "leads": axis((c.lead for c in (*found.baselines, *against)), hold=0.0),
        "classes": axis(i for c in found.by_class for i in (c.recall, c.precision)),
        "averages": axis(found.averages.values()),
        "thresholds": axis(i for moved in found.thresholds for i in (moved.before, moved.after)),
        "regions": axis(r.iou for r in found.regions),
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


def told(kind: str, t: Texts) -> Callable[[Sample], str]:
    """What is under a picture: "7, called 1 (98 %)"."""

    def words(sample: Sample) -> str:
        if kind != "classes":
            key = "sample_pixels" if kind == "pixels" else "sample_answered"
        else:
            key = "sample_called" if sample.guess != sample.truth else "sample_right"
        return t(key, truth=sample.truth, guess=sample.guess, sure=sample.confidence)

    return words


def ticks(span: Span) -> list[float]:
    """About five round numbers in the span."""
    low, high = span
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]
