"""An Examination looks at the data alone: no model of the user's, no loss, no training. It measures; rules judge.

May not: judge, print, change the data.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from torchdoctor.examine.material import Material
from torchdoctor.record.measurement import Fact, Measurement

Look = Callable[[Material], Iterable[Measurement | Fact]]


class CannotTell(Exception):
    """Raised by an examination that found its own means too weak: CannotTell("a small model gets 11% right ...")."""


@dataclass(frozen=True)
class Examination:
    """order: the cheap ones come first. measures: signal name -> "unit: meaning", everything it may yield."""

    name: str
    order: int
    measures: Mapping[str, str]
    doc: str
    run: Look
    module: str


def examination(*, order: int, measures: Mapping[str, str]) -> Callable[[Look], Examination]:
    """Make an examination of a generator function; it is named like the function, with hyphens."""

    def make(fn: Look) -> Examination:
        name = fn.__name__.replace("_", "-")
        return Examination(name, order, dict(measures), inspect.getdoc(fn) or "", fn, fn.__module__)

    return make
