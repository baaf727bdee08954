"""The list of runs: a line on each, with the parent it stems from.

Of thousands of runs it takes longer than a page may; the cache then hands out the last one while it is made anew.
May not: filter, sort.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from torchdoctor.board.folder import Place
from torchdoctor.board.opened import Board

Row = dict[str, Any]  # see _row; not to be changed, it is shared


def listed(board: Board) -> Mapping[str, Row]:
    """{key: row} of all runs, at most a few seconds old."""
    rows: Mapping[str, Row] = board.cache.get(("", "rows"), time.monotonic(), lambda: _rows(board))
    return rows


def _rows(board: Board) -> dict[str, Row]:
    rows = {key: _row(at, board.summary(at)) for key, at in board.places().items()}
    for row in rows.values():
        row["parent"] = _parent(row, rows)
    return rows


def _row(at: Place, summary: Mapping[str, Any]) -> Row:
    state = "damaged" if summary["error"] else at.state
    return {"key": at.key, **summary, "state": state, "children": 0, "depth": 0}


def _parent(row: Row, rows: Mapping[str, Row]) -> str | None:
    """The run that the recorded path of the parent means, wherever the folder lies today: the one whose name is its
    longest end. Without one, the cure that the run lies in."""
    parts = str(row["parent"] or "").replace("\\", "/").strip("/").split("/")
    ends = ("/".join(parts[i:]) for i in range(max(0, len(parts) - 8), len(parts)))
    beside = row["key"].rpartition("/")[0]
    return next((end for end in (*ends, beside) if end and end in rows and end != row["key"]), None)
