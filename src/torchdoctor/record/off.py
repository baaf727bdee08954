"""Which signals are off, and why: a watch gives up what breaks, says so once, and lets training go on.

May not: decide what is measured.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

from torchdoctor.errors import one_line


class WatchWarning(UserWarning):
    """Watching had to give something up; training goes on."""


class Off:
    """why: signal -> the reason it is off, in one line."""

    def __init__(self) -> None:
        self.why: dict[str, str] = {}

    def put(self, signals: Iterable[str], why: str) -> None:
        """Known from the start, or seen from what did not happen: not worth a warning."""
        self.why.update(dict.fromkeys(signals, why))

    def broke(self, signals: Sequence[str], step: int, error: Exception) -> None:
        why = f"it failed at step {step}: {one_line(error)}"
        self.put(signals, why)
        many = f" and {len(signals) - 1} more" if len(signals) > 1 else ""
        warnings.warn(f"Signal {signals[0]}{many} is off: {why}. Training goes on.", WatchWarning, stacklevel=6)

    def everything(self, step: int, error: Exception) -> None:
        why = f"the watch itself failed at step {step}: {one_line(error)}"
        self.put(["everything"], why)
        warnings.warn(f"{why}; training goes on unwatched.", WatchWarning, stacklevel=6)
