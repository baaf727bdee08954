"""Words that people pin to a run, to find it again: in a file of their own, the one thing about a run that may change.

    td.tag("runs/2026-11-20-lenet", "baseline")

May not: touch what was recorded, import torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from torchdoctor.errors import BadRun
from torchdoctor.record.folder import DATABASE

TAGS = "tags.json"
HOLDERS = (DATABASE, "cure.json")  # a folder without one of these is no run, and no cure
MOST, LONGEST = 20, 40  # tags of a run, characters of one


def tag(run: str | Path, *names: str, remove: Iterable[str] = ()) -> tuple[str, ...]:
    """Add tags to a run folder and take others away; returns all it has then. Without names it only reads them.

    Raises BadRun where there is no run, for a tag that is empty, longer than 40 characters or holds a comma, or for
    more than 20.
    """
    path = Path(run)
    if not any((path / name).is_file() for name in HOLDERS):
        raise BadRun(f"{path} holds no run to tag: it has no {DATABASE}. Give the folder that watch or train wrote.")
    old, gone = tags_of(path), set(remove)
    new = tuple(dict.fromkeys(name for name in (*old, *map(_sound, names)) if name not in gone))
    if len(new) > MOST:
        raise BadRun(f"{path} would have {len(new)} tags, and {MOST} is the most. Take some away first.")
    if new != old:
        _write(path / TAGS, new)
    return new


def tags_of(path: Path) -> tuple[str, ...]:
    """The tags of a run folder; none where there are none, or where the file is damaged."""
    try:
        found = json.loads((path / TAGS).read_text("utf-8")) if (path / TAGS).is_file() else []
    except (OSError, ValueError, RecursionError):
        return ()
    sound = (t for t in found if isinstance(t, str) and t and len(t) <= LONGEST) if isinstance(found, list) else ()
    return tuple(dict.fromkeys(sound))[:MOST]


def _sound(name: str) -> str:
    clean = name.strip()
    if not clean or len(clean) > LONGEST or "," in clean or not clean.isprintable():
        raise BadRun(f"{name[:60]!r} is no tag: give one of 1 to {LONGEST} characters without a comma.")
    return clean


def _write(file: Path, tags: tuple[str, ...]) -> None:
    part = file.with_suffix(".part")
    try:
        part.write_text(json.dumps(tags, ensure_ascii=False), "utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadRun(f"Cannot write {file}: {error.strerror}. Is the folder yours, and is there space?") from None
