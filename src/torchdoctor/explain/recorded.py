"""An explanation kept in a folder of its own, beside the run that it explains.

May not: change that run.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from torchdoctor.errors import BadRun
from torchdoctor.explain.explanation import Explanation
from torchdoctor.judge.report import jsonable
from torchdoctor.record.run import Writer

SAVED = "explanation.json"


def recorded(
    found: Explanation,
    folder: str | Path,
    *,
    parent: str | Path,
    recipe: str | None = None,
    checkpoint: str = "",
    on: str = "test",
) -> Path:
    """Write the run folder: facts in signals.db, all numbers in explanation.json. Raises BadRun when it holds a run
    already or cannot be written."""
    path = Path(folder)
    writer = Writer(path, recipe)
    facts = {
        "stage": "explanation",
        "parent": str(parent),
        "checkpoint": checkpoint,
        "on": on,
        "sample": found.sample,
        "target": found.target,
        "checks": [asdict(check) for check in found.checks],
        "left_out": dict(found.left_out),
    }
    for name, value in facts.items():
        writer.fact(name, value)
    writer.commit()
    writer.close()
    try:
        text = json.dumps(jsonable(found.to_dict()), ensure_ascii=False, allow_nan=False)
        (path / SAVED).write_text(text, "utf-8")
    except OSError as error:
        raise BadRun(f"Cannot write {path / SAVED}: {error.strerror}. Free some space.") from None
    return path
