"""Page `runs`: every run below the folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torchdoctor.board.listing import Row, listed, listed_soon
from torchdoctor.board.opened import Board
from torchdoctor.board.page import Asked, Made, page

PER_PAGE = 100  # runs; children come on top
FOLDED = 8  # arms of a cure, of which more are shown only where it is asked for
SORTS = ("name", "started", "state", "steps", "loss", "val_score", "findings")


@page
def runs(board: Board, asked: Asked) -> Made:
    """All runs, newest first; children under their parents. `q` filters by name, stage, state and "#tag", `sort` and
    `down` order, `page` turns, `open` names a cure whose arms are all shown."""
    rows = listed(board) if asked.patient else listed_soon(board)
    waiting, rows = rows is None, rows or {}
    word = asked.words.get("q", "")[:200].strip().lower()
    sort = asked.words.get("sort", "")
    sort = sort if sort in SORTS else "started"
    down = asked.words.get("down", "1" if sort in ("started", "findings") else "") == "1"
    chosen = [row for row in rows.values() if not word or word in _searched(row)]
    families = _families(_sorted(chosen, sort, down), rows if not word else {}, asked.words.get("open", ""))
    pages = max(1, -(-len(families) // PER_PAGE))
    at = asked.number("page", 1, 1, pages)
    shown = [row for family in families[(at - 1) * PER_PAGE : at * PER_PAGE] for row in family]
    return {
        "folder": board.root.name, "total": len(rows), "found": len(chosen), "runs": shown, "q": word, "sort": sort,
        "down": down, "page": at, "pages": pages, "live": sum(row["state"] == "live" for row in rows.values()),
        "waiting": waiting, "tags": sorted({tag for row in rows.values() for tag in row["tags"]})[:40],
    }  # fmt: skip


def _searched(row: Row) -> str:
    tags = " ".join(f"#{tag}" for tag in row["tags"])
    return f"{row['key']} {row['stage']} {row['state']} {row['verdict'] or ''} {row['fix'] or ''} {tags}".lower()


def _sorted(rows: Iterable[Row], by: str, down: bool) -> list[Row]:
    """What has no value comes last, either way."""

    def worth(row: Row) -> Any:
        found = row["findings"]
        if by == "findings":
            return None if found is None else (found["error"], found["warning"], found["info"])
        return row["key"].lower() if by == "name" else row[by]

    known = [row for row in rows if worth(row) not in (None, "") and not isinstance(worth(row), float | int)]
    numbers = [row for row in rows if isinstance(worth(row), float | int)]
    named = sorted(sorted(known, key=lambda r: str(r["key"])), key=worth, reverse=down)
    counted = sorted(sorted(numbers, key=lambda r: str(r["key"])), key=worth, reverse=down)
    placed = {id(row) for row in (*named, *counted)}
    return [*counted, *named, *(row for row in rows if id(row) not in placed)]


def _families(rows: list[Row], every: Mapping[str, Row], opened: str = "") -> list[list[Row]]:
    """Each root with all that stem from it, in the order of `rows`, but the arms of a cure in the order of running;
    flat where `every` is empty. opened: the cure that hides none of them."""
    below: dict[str, list[Row]] = {}
    for row in rows:
        if row["parent"] in every:
            below.setdefault(str(row["parent"]), []).append(row)
    seen: set[str] = set()

    def family(row: Row, depth: int) -> Iterator[Row]:
        if row["key"] in seen:
            return
        seen.add(row["key"])
        children = below.get(row["key"], [])
        arms = sorted((child for child in children if child["fix"] is not None), key=lambda arm: str(arm["key"]))
        hidden = len(arms) if len(arms) > FOLDED and row["key"] != opened else 0
        seen.update(str(arm["key"]) for arm in arms[:hidden])
        yield {**row, "depth": depth, "children": len(children), "hidden": hidden}
        for child in (*(child for child in children if child["fix"] is None), *arms[hidden:]):
            yield from family(child, min(depth + 1, 8))

    roots = [row for row in rows if row["parent"] not in every]
    # Two that name each other as parents have no root, and are shown all the same.
    return [found for row in (*roots, *rows) if (found := list(family(row, 0)))]
