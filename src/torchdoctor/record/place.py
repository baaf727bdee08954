"""Where a new run goes when nobody says: runs/DATE-NAME, with a number behind it where that is taken.

May not: make the folder, import torch.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import count
from pathlib import Path

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}-")


def new_folder(name: str, parent: Path = Path("runs")) -> Path:
    """A path below `parent` that is not there yet. What was named by date already gets today's instead."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in _DATE.sub("", name)) or "run"
    stem = f"{date.today()}-{plain}"
    candidates = (parent / (stem if n == 1 else f"{stem}-{n}") for n in count(1))
    return next(path for path in candidates if not path.exists())
