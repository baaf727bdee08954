"""Judge a recorded run, on this machine or another, with or without torch installed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from torchdoctor.errors import BadRun
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.record.run import Run


def diagnose(run: str | Path | Run, *, rules: Iterable[Rule] | None = None) -> Report:
    """The rules over a recorded run. Raises BadRun when the folder holds none, or one that cannot be read."""
    if not isinstance(run, (str, Path, Run)):
        raise BadRun(f"diagnose({run!r}): give the folder of a recorded run.")
    opened = run if isinstance(run, Run) else Run(run)
    try:
        return judge(opened.trace(), rules, title=opened.path.name)
    finally:
        if opened is not run:
            opened.close()
