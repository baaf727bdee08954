"""A Page is a pure function from what was asked to plain JSON values; its template makes HTML of exactly these.

So every page has a JSON twin at the same address with .json behind it, and the two cannot differ. A page that draws
puts ECharts options under "charts", {name: option}; the template marks where each belongs, and the browser fetches them
from the twin.
May not (here): know any page.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torchdoctor.board.opened import Board
from torchdoctor.errors import BadRun
from torchdoctor.show.texts import Texts

Made = dict[str, Any]
Make = Callable[[Board, "Asked"], Made]


@dataclass(frozen=True)
class Asked:
    """at: the runs that were asked for, in order. words: every other parameter of the address. patient: wait for what
    takes seconds to make (the JSON twin does); a page for people rather says that it is on its way."""

    at: tuple[str, ...]
    words: Mapping[str, str]
    texts: Texts
    patient: bool = True

    @property
    def run(self) -> str:
        """The one run; "" where none was given, which no run is called."""
        return self.at[0] if self.at else ""

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number of the address, moved into its bounds; `default` where it is none."""
        word = self.words.get(name, "")
        return max(least, min(most, int(word))) if word.isdecimal() and len(word) < 16 else default


@dataclass(frozen=True)
class Page:
    """name: of its address and template; the first page, `runs`, is at /. make: see the module."""

    name: str
    doc: str
    make: Make
    module: str


@contextmanager
def damaged(key: str, name: str) -> Iterator[None]:
    """What goes wrong inside because of values that no torchdoctor wrote is said of the file `name` of that run."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, IndexError) as error:
        raise BadRun(f"{key}/{name} is damaged: {type(error).__name__} {error}.") from None


def page(fn: Make) -> Page:
    """Make a page of a function: it is called like the function."""
    return Page(fn.__name__, inspect.getdoc(fn) or "", fn, fn.__module__)
