"""Pictures beside a recorded run: made while data and model are at hand, for pages that open later without them.

One JSON file of plain values; a picture in it is a PNG as a data URI. Nothing in it is ever executed.
May not: make a picture.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torchdoctor.judge.report import jsonable
from torchdoctor.show.html import written

PICTURES = "pictures.json"
PNG = "data:image/png;base64,"


def keep(folder: Path, values: Mapping[str, Any]) -> Path:
    """In the run's folder. Raises BadRun when it cannot be written there."""
    return written(folder / PICTURES, json.dumps(jsonable(values), ensure_ascii=False, allow_nan=False))


def is_picture(value: object) -> bool:
    """A file may hold anything; only a PNG that stands in the page itself is shown."""
    return isinstance(value, str) and value.startswith(PNG)
