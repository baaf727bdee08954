"""The list of runs: a line on each, with the parent it stems from.

Of thousands of runs it takes longer than a page may; the cache then hands out the last one while it is made anew.
May not: filter, sort.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from torchdoctor.board.folder import CURE, EVALUATION, EXPLANATION, Place
from torchdoctor.board.opened import Board

DATA = ("data", "examination")  # stages; the second is what earlier versions wrote
ROWS = ("", "rows")  # the name of the list in the cache; no run is called ""
Row = dict[str, Any]  # see _row; not to be changed, it is shared


def listed(board: Board) -> Mapping[str, Row]:
    """{key: row} of all runs, at most a few seconds old."""
    rows: Mapping[str, Row] = board.cache.get(ROWS, time.monotonic(), lambda: _rows(board))
    return rows


def listed_soon(board: Board) -> Mapping[str, Row] | None:
    """The same; None while thousands are read for the first time."""
    if not board.cache.soon((*ROWS, "opened"), "", lambda: bool(listed(board)) or True):
        return None
    return listed(board)


def _rows(board: Board) -> dict[str, Row]:
    rows = {key: _row(at, board.summary(at)) for key, at in board.places().items()}
    for row in rows.values():
        row["parent"] = _parent(row, rows)
    return rows


def _row(at: Place, summary: Mapping[str, Any]) -> Row:
    state = "damaged" if summary["error"] else at.state
    return {
        "key": at.key,
        **summary,
        "state": state,
        "page": _page(at, summary),
        "children": 0,
        "hidden": 0,
        "depth": 0,
    }


def _page(at: Place, summary: Mapping[str, Any]) -> str:
    """Which page tells most of it."""
    for name, page in ((EVALUATION, "evaluation"), (EXPLANATION, "explanation")):
        if name in at.files:
            return page
    if summary["stage"] == "cure":
        return "cure" if CURE in at.files else "run"
    return "data" if summary["stage"] in DATA else "run"


def _parent(row: Row, rows: Mapping[str, Row]) -> str | None:
    """The run that the recorded path of the parent means, wherever the folder lies today: the one whose name is its
    longest end. Without one, the cure that the run lies in."""
    parts = str(row["parent"] or "").replace("\\", "/").strip("/").split("/")
    ends = ("/".join(parts[i:]) for i in range(max(0, len(parts) - 8), len(parts)))
    beside = row["key"].rpartition("/")[0]
    return next((end for end in (*ends, beside) if end and end in rows and end != row["key"]), None)
