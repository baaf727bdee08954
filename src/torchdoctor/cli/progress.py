"""How far a long verb has come: a bar with rate and time left in a terminal, now and then a plain line elsewhere.

Always on standard error: standard output is for results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

QUIET_SECONDS = 5.0  # between two plain lines: a log of an hour stays readable


class Advance(Protocol):
    """done: of the total, so far. note: a word on it, shown at the end of the line."""

    def __call__(self, done: float, note: str = "") -> None: ...


@contextmanager
def progress(what: str, total: float, unit: str = "steps") -> Iterator[Advance]:
    """`with progress("training", 960) as advance:` then advance(done, "epoch 3") as often as one likes."""
    with (_bar if sys.stderr.isatty() else _lines)(what, total, unit) as advance:
        yield advance


@contextmanager
def _bar(what: str, total: float, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, Task, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:.3g} {unit}/s", "dim")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        Rate(""),
        TimeElapsedColumn(),
        TextColumn("left", style="dim"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False)) as shown:
        task = shown.add_task(what, total=total, note="")

        def advance(done: float, note: str = "") -> None:
            shown.update(task, completed=done, note=note)

        yield advance


@contextmanager
def _lines(what: str, total: float, unit: str) -> Iterator[Advance]:
    began = said = time.monotonic()

    def advance(done: float, note: str = "") -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < QUIET_SECONDS or not done:
            return
        said, rate = now, done / (now - began)
        left = f"{(total - done) / rate:.0f} s left" if total > done else "ending"
        print(f"{what}: {done:g}/{total:g} {unit}, {rate:.3g}/s, {left}{note and ' · ' + note}", file=sys.stderr)

    yield advance
    print(f"{what}: done in {time.monotonic() - began:.1f} s", file=sys.stderr)
