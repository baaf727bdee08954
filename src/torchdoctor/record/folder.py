"""The folder of a run: made for a new one, and taken away again where that fails; what machine wrote it; is it whole?

May not: know what the database holds.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

DATABASE = "signals.db"


def environment() -> dict[str, Any]:
    """Versions and machine. Without importing torch: reading its version number is enough."""
    versions = {}
    for name in ("torchdoctor", "torch", "torchvision", "numpy"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "versions": versions,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": os.cpu_count(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv else [],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def what_to_do(error: Exception) -> str:
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "disk is full" in str(error)
    return "Free some space, or choose another folder." if full else "Choose another folder."


def holds_run(path: Path) -> bool:
    try:
        return (path / DATABASE).is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def make_folder(path: Path, recipe: str | None, made: list[Path]) -> None:
    """made: gets what is new, in the order of making."""
    made += [p for p in (path, *path.parents) if not p.exists()][::-1]
    path.mkdir(parents=True, exist_ok=True)
    texts = {"environment.json": json.dumps(environment(), indent=2), "recipe.yaml": recipe}
    made += [path / name for name, text in texts.items() if text is not None]
    for name, text in texts.items():
        if text is not None:
            (path / name).write_text(text, "utf-8")
    made += [path / f"{DATABASE}{end}" for end in ("", "-wal", "-shm") if not (path / DATABASE).exists()]


def unmake(made: list[Path]) -> None:
    """Leave nothing half-written."""
    for path in reversed(made):
        with contextlib.suppress(OSError, ValueError):
            path.rmdir() if path.is_dir() else path.unlink()


def check_length(file: Path) -> None:
    """Of the missing end of a database SQLite reads zeros, and says nothing. Its header holds the number of pages.

    While there is a write-ahead log the header may run ahead of the file.
    """
    log = file.with_name(f"{file.name}-wal")
    if log.is_file() and log.stat().st_size:
        return
    if not file.stat().st_size:
        raise ValueError("it is empty")
    with file.open("rb") as database:
        header = database.read(32)
    page, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    if file.stat().st_size < (65_536 if page == 1 else page) * pages:
        raise ValueError(f"it has {file.stat().st_size} bytes, and should have {page * pages}")
