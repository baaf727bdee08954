"""What other tools' published rules say of our runs: each file one tool, re-expressed from its paper and its code.

They judge the recordings of cases/, so that all see the same runs. Where a rule asks for a number that was not
recorded as such, its file says what stands for it. Their verdicts are words of their own; each file maps them to the
names of our list, generously: a verdict counts as right when any of the names it could mean is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from benchmarks.rivals.seen import Seen
from torchdoctor.judge.trace import Trace


def opinions(probed: Trace, watched: Trace) -> dict[str, tuple[str, ...]]:
    """{tool: its verdicts, each as the names it may mean, "a|b"}; no verdict is silence."""
    seen = Seen.of(probed, watched)
    return {tool: tuple(dict.fromkeys("|".join(_meaning(tool)[v]) for v in _verdicts(tool, seen))) for tool in tools()}


def tools() -> tuple[str, ...]:
    """The files beside this one that hold a MEANING."""
    files = sorted(p.stem for p in Path(__file__).parent.glob("*.py"))
    return tuple(f for f in files if hasattr(import_module(f"{__name__}.{f}"), "MEANING"))


def _meaning(tool: str) -> Mapping[str, tuple[str, ...]]:
    meaning: Mapping[str, tuple[str, ...]] = import_module(f"{__name__}.{tool}").MEANING
    return meaning


def _verdicts(tool: str, seen: Seen) -> list[str]:
    return list(import_module(f"{__name__}.{tool}").verdicts(seen))
