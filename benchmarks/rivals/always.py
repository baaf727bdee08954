"""Always alarms, and names nothing: what detection alone is worth."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rivals.seen import Seen

MEANING = {"something is wrong": ()}


def verdicts(seen: Seen) -> Iterator[str]:
    """One, whatever was seen."""
    yield "something is wrong"
