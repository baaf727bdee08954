"""A Probe is an active experiment on a forked copy of the parts. It measures; rules judge what it measured.

May not: judge, print, touch anything but the bench it is handed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.record.measurement import Fact, Measurement

if TYPE_CHECKING:
    from torchdoctor.probes.bench import Bench

__all__ = ["Fact", "Measurement", "Probe", "probe"]

Experimenter = Callable[["Bench"], Iterable[Measurement | Fact]]


@dataclass(frozen=True)
class Probe:
    """passes: about how many forward-and-backward passes of one batch it takes (a budget is counted in these).

    seconds: what it takes besides, whatever the model costs, on one core.
    measures: signal name -> "unit: meaning", everything it may yield.
    """

    name: str
    passes: int
    measures: Mapping[str, str]
    doc: str
    run: Experimenter
    module: str
    seconds: float = 0.0


def probe(*, passes: int, measures: Mapping[str, str], seconds: float = 0.0) -> Callable[[Experimenter], Probe]:
    """Make a probe of a generator function; it is named like the function, with hyphens."""

    def make(fn: Experimenter) -> Probe:
        name = fn.__name__.replace("_", "-")
        return Probe(name, passes, dict(measures), inspect.getdoc(fn) or "", fn, fn.__module__, seconds)

    return make
