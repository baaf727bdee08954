"""How tests wait for what happens in its own time, in a process, a browser or a thread: until it has happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

HANGS = 900.0  # seconds, so many that what has not come by then does not come, however slow the machine
Seen = TypeVar("Seen")


def until(look: Callable[[], Seen]) -> Seen:
    """The first true answer of `look`; AssertionError when it hangs."""
    end = time.monotonic() + HANGS
    while not (seen := look()):
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
    return seen
