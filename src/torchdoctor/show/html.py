"""Write a report or a cure as one HTML file that opens from disk: no server, no script, nothing fetched.

May not: judge, train, leave half a file behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.show.chart import Chart, chart, intervals
from torchdoctor.show.evidence import shown
from torchdoctor.show.folding import folded
from torchdoctor.show.proof import brought_to_light, colour_of, effect_of, score_pair, told
from torchdoctor.show.remedy import call, code
from torchdoctor.show.words import count, number, place_of, printable, sentence

if TYPE_CHECKING:
    from torchdoctor.cures.cure import Cure

# What belongs on one pair of axes, in the order of reading; drawn where it was recorded.
CURVES = (("loss", "val_loss"), ("train_score", "val_score"), ("grad_norm",), ("lr",))


def write_report(report: Report, path: Path) -> Path:
    """The report as one page; returns the path. Raises BadRun when it cannot be written there."""
    return written(path, _template().render(title=report.title or "Report", report=report, cure=None, races=None))


def write_cure(cure: Cure, path: Path) -> Path:
    """The cure as one page: verdict, before and after, races, and the report it began with."""
    said, quick = told(cure)
    zero, where = intervals([(r.effect.mean, r.effect.low, r.effect.high) for r in (*said, *quick)])
    races = {"zero": zero, "said": list(zip(said, where)), "quick": list(zip(quick, where[len(said) :]))}
    page = _template().render(title=cure.original.name, report=cure.report, cure=cure, races=races)
    return written(path, page)


def written(path: Path, text: str) -> Path:
    """The whole text is at `path`, or, after an error, what was there before."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False) as file:
            try:
                file.write(text)
                file.close()
                Path(file.name).chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise BadRun(f"Cannot write {path}: {error.strerror}. Give another path.") from None
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@cache
def _template() -> Template:
    page = Environment(loader=PackageLoader("torchdoctor", "show"), autoescape=True, undefined=StrictUndefined)
    page.trim_blocks = page.lstrip_blocks = True
    page.globals |= {"folded": folded, "evidence_chart": _evidence_chart, "curves": _curves}
    page.globals["brought_to_light"] = brought_to_light
    page.filters |= {
        "number": number,
        "count": count,
        "printable": printable,
        "place": place_of,
        "call": call,
        "sentence": sentence,
    }
    page.filters |= {"code": code, "effect": effect_of, "scores": score_pair, "colour": colour_of}
    return page.get_template("report.html.jinja")


def _evidence_chart(finding: Finding, trace: Trace | None) -> Chart | None:
    drawn = shown(finding, trace)
    return chart(drawn.label, {drawn.label: drawn.series}, finding.steps) if drawn else None


def _curves(trace: Trace | None) -> Iterator[Chart]:
    """The run as a whole: what every training curve is read by."""
    if trace is None:
        return
    for together in CURVES:
        lines = {
            f"{name} of group {subject}" if subject else name: series
            for name in together
            for subject, series in trace.each(name)
            if len(series) > 1
        }
        if drawn := chart(" and ".join(together), lines):
            yield drawn
