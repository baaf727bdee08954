"""Page `data`: what the data are, before anything learns from them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from torchdoctor.board.folder import Place
from torchdoctor.board.listing import DATA
from torchdoctor.board.opened import Board, pictures_of, traced
from torchdoctor.board.page import Asked, Made, damaged, page
from torchdoctor.errors import BadRun
from torchdoctor.judge.trace import Trace
from torchdoctor.record.folder import DATABASE
from torchdoctor.record.run import Run
from torchdoctor.show.charts.measured import balance
from torchdoctor.show.charts.option import Option
from torchdoctor.show.data_text import remarks, step_remarks, tables
from torchdoctor.show.pictures import PICTURES
from torchdoctor.show.texts import Texts

CLASSES = 60  # bars beside each other


@page
def data(board: Board, asked: Asked) -> Made:
    """Samples as the network gets them, parts and their ranges, the balance of classes, duplicates, outliers, label
    suspects, and what augmentation does."""
    at = board.place(asked.run)
    seen = board.kept("pictures", at, lambda: pictures_of(at))
    said = board.kept(f"data {asked.texts.language}", at, lambda: _said(at, asked.texts))
    with damaged(at.key, PICTURES):
        galleries = [(str(title), [_shown(s) for s in samples]) for title, samples in seen.get("galleries", [])]
        return {
            "key": at.key, **said, "network": [_shown(s) for s in seen.get("network", [])],
            "galleries": [(title, samples) for title, samples in galleries if samples],
            "sheet": seen.get("sheet"), "has_projection": "tsne" in seen.get("projection", {}),
            "findings": [f.to_dict() for f in board.report(at)],
        }  # fmt: skip


def _said(at: Place, t: Texts) -> dict[str, Any]:
    """Tables, remarks and the balance of classes, from what was recorded."""
    trace = traced(at, [*_measured(at)])
    with damaged(at.key, DATABASE):
        option = _balance(trace, t)
        return {
            "tables": [(list(head), [list(row) for row in rows]) for head, rows in tables(trace, t)],
            "remarks": [*remarks(trace), *step_remarks(trace)],
            "charts": {"balance": option} if option else {},
        }


def _measured(at: Place) -> list[str]:
    """All signals of a run of examinations: there are few, of a few numbers each. Raises for a run of training."""
    with closing(Run(at.path)) as run:
        if run.facts.get("stage") not in DATA:
            raise BadRun(f"{at.key} is no examination of data. Make one: torchdoctor data -c RECIPE --run FOLDER")
        return list(run.signals)


def _balance(trace: Trace, t: Texts) -> Option | None:
    counts: Mapping[str, list[float]] = trace.facts.get("class_counts", {})
    names = [str(name) for name in trace.facts.get("data", {}).get("classes", [])]
    most = max((len(of) for of in counts.values()), default=0)
    shown = [names[c] if c < len(names) else str(c) for c in range(min(most, CLASSES))]
    plain = {t.word(f"part.{part}"): [float(n) for n in of[:CLASSES]] for part, of in counts.items()}
    return balance(shown, plain, t("balance"))


def _shown(s: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(s[key]) for key in ("caption", "name", "picture", "row") if s.get(key)}
