"""How far a long verb has come: a bar with rate and time left in a terminal, now and then a plain line elsewhere.

Always on standard error: standard output is for results.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType

QUIET_SECONDS = 5.0  # between two plain lines: a log of an hour stays readable


class Advance(Protocol):
    """done: of the total, so far. note: a word on it, at the end of the line. total: where it has become known."""

    def __call__(self, done: float, note: str = "", total: float | None = None) -> None: ...


@contextmanager
def progress(
    what: str, total: float | None = None, unit: str = "steps", below: Callable[[], Iterable[RenderableType]] = tuple
) -> Iterator[Advance]:
    """`with progress("training", 960) as advance:` then advance(done, "epoch 3") as often as one likes. below: what a
    terminal shows under the bar, asked for ten times a second."""
    with _bar(what, total, unit, below) if sys.stderr.isatty() else _lines(what, total, unit) as advance:
        yield advance


@contextmanager
def _bar(what: str, total: float | None, unit: str, below: Callable[[], Iterable[RenderableType]]) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(_rate(task.speed or 0, unit), "dim")

    class Noted(Progress):
        """With the note in a line of its own: beside the bar a terminal of 80 columns has no room for it."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield self.make_tasks_table(self.tasks)
            notes = [str(task.fields["note"]) for task in self.tasks if task.fields["note"]]
            yield from (Text(f"  {note}", "dim", no_wrap=True, overflow="ellipsis") for note in notes)
            yield from below()

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f} %"),
        Rate(""),
        TimeRemainingColumn(compact=True),
        TextColumn("left", style="dim"),
    )
    with Noted(*columns, console=Console(stderr=True, highlight=False)) as shown:
        task = shown.add_task(what, total=total, note="")

        def advance(done: float, note: str = "", total: float | None = None) -> None:
            shown.update(task, completed=done, note=note, total=total)

        yield advance
    shown.console.print()  # what comes next is no part of it


@contextmanager
def _lines(what: str, total: float | None, unit: str) -> Iterator[Advance]:
    began = said = time.monotonic()
    known = total

    def advance(done: float, note: str = "", total: float | None = None) -> None:
        nonlocal said, known
        known = known if total is None else total
        now = time.monotonic()
        if now - said < QUIET_SECONDS or not done:
            return
        said, rate = now, done / (now - began)
        share = "" if known is None else f"/{_whole(known)}"
        left = f", {(known - done) / rate:.0f} s left" if known is not None and known > done else ""
        print(f"{what}: {_whole(done)}{share} {unit}, {_rate(rate, unit)}{left}{note and ': ' + note}", file=sys.stderr)

    yield advance
    print(f"{what}: done in {time.monotonic() - began:.1f} s", file=sys.stderr)


def _whole(amount: float) -> str:
    """10,460 steps are counted; 0.25 of 3 runs are not."""
    return f"{amount:,.0f}" if amount == int(amount) or amount >= 100 else f"{amount:.3g}"


def _rate(speed: float, unit: str) -> str:
    """43 steps/s; the other way round where one takes more than a second."""
    return f"{speed:.3g} {unit}/s" if speed >= 1 or not speed else f"{1 / speed:.3g} s/{unit.removesuffix('s')}"
