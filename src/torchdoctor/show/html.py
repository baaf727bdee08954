"""Write a report or a cure as one HTML file that opens from disk: no server, nothing fetched.

May not: judge, train, leave half a file behind.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.errors import BadRun
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.show.charts.curves import curves
from torchdoctor.show.charts.effects import Effect, effects
from torchdoctor.show.charts.marks import marks_of
from torchdoctor.show.charts.option import Option
from torchdoctor.show.charts.run import pictures
from torchdoctor.show.evidence import shown
from torchdoctor.show.folding import Folded, folded
from torchdoctor.show.on_disk import rendered
from torchdoctor.show.proof import brought_to_light, colour_of, effect_of, score_pair, told
from torchdoctor.show.remedy import call
from torchdoctor.show.texts import Texts, spoken

if TYPE_CHECKING:
    from torchdoctor.cures.result import Cure

SECTIONS = {"curve": "curves", "heat": "layers", "": "cost"}  # by how the name of a chart begins


def write_report(report: Report, path: Path, lang: str = "en") -> Path:
    """The report as one page; returns the path. Raises BadRun when it cannot be written there, BadRecipe for a language
    that is not spoken here."""
    t = spoken(lang)
    title = report.title or t("report")
    return written(path, _page(report, _drawn(report, t), t, title=title, cure=None, races=None))


def write_cure(cure: Cure, path: Path, lang: str = "en") -> Path:
    """The cure as one page: verdict, before and after, races, and the report it began with."""
    t = spoken(lang)
    said, quick = told(cure)
    bars = [
        Effect(" + ".join(map(call, r.changed)), r.effect.mean, r.effect.low, r.effect.high, r.proven) for r in said
    ]
    option = effects(bars, t)
    charts = {**({"races": option} if option else {}), **_drawn(cure.report, t)}
    races = {"said": said, "quick": quick}
    return written(path, _page(cure.report, charts, t, title=cure.original.name, cure=cure, races=races))


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


def _page(report: Report, charts: Mapping[str, Option], t: Texts, **values: object) -> str:
    words = {"folded": folded, "evidence": lambda finding: _place(report, finding), "sections": _sections(charts)}
    proof = {"brought_to_light": brought_to_light, "effect_of": effect_of, "scores": score_pair, "colour_of": colour_of}
    return rendered("report.html.jinja", charts, t=t, report=report, **words, **proof, **values)


def _drawn(report: Report, t: Texts) -> dict[str, Option]:
    """What shows each finding, and the run as a whole, as the board draws it."""
    trace = report.trace
    if trace is None:
        return {}
    found = {_place(report, f): _evidence(f, trace, t) for f in _cards(folded(report))}
    return {name: o for name, o in found.items() if o} | pictures(lambda *_: trace, marks_of(report), t)


def _evidence(finding: Finding, trace: Trace, t: Texts) -> Option | None:
    drawn = shown(finding, trace)
    return curves({drawn.label: drawn.series}, t, marks_of([finding]), finding.steps) if drawn else None


def _cards(branches: Iterable[Folded]) -> Iterator[Finding]:
    """The findings that are told at length: symptoms of another have a line each."""
    for branch in branches:
        yield branch.finding
        yield from _cards(below for below in branch.under if below.finding.kind == "cause")


def _place(report: Report, finding: Finding) -> str:
    """The name of the chart of a finding."""
    return f"evidence-{next(i for i, f in enumerate(report) if f is finding)}"


def _sections(charts: Mapping[str, Option]) -> dict[str, list[str]]:
    """{title, a key of the words: names of charts} of the pictures of the whole run."""
    whole = [name for name in charts if not name.startswith("evidence-") and name != "races"]
    kinds = {name: name.partition("-")[0] if "-" in name else "" for name in whole}
    found = {title: [name for name in whole if kinds[name] == kind] for kind, title in SECTIONS.items()}
    return {title: names for title, names in found.items() if names}
