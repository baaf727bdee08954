"""A Rule is a pure function from Trace to findings, plus what it is called and what it needs.

A rule's file holds the rule, and FIRES and QUIET: {title: Trace} it must and must not speak on.
May not: act, print, read files, import torch.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_args

from torchdoctor.errors import BadUnit
from torchdoctor.judge.finding import Finding, Kind, Place, Severity
from torchdoctor.judge.trace import Trace

TRAINING = "training"  # and what is tried before it
SECTIONS = ("Why it hurts", "How it decides", "When it is wrong", "References")
Judge = Callable[..., Iterable[Finding]]


class CannotSay(Exception):
    """Raised by a rule that has its signals but too little in them: CannotSay("needs 20 steps, got 7")."""


@dataclass(frozen=True)
class Rule:
    """name: of the controlled vocabulary. needs: signals without which it cannot run; "a|b" means either.

    explains: names of findings that this fault accounts for. options: its thresholds, with their defaults.
    preview: not yet below 1 % false alarms, so off unless asked for. stages: of what runs it is asked; see Trace.stage.
    """

    name: str
    code: str
    kind: Kind
    place: Place
    severity: Severity
    needs: tuple[str, ...]
    explains: tuple[str, ...]
    options: Mapping[str, Any]
    preview: bool
    stages: tuple[str, ...]
    doc: str
    judge: Judge
    module: str

    def examples(self, kind: str) -> Mapping[str, Trace]:
        """kind is "FIRES" or "QUIET": the constant of that name in the rule's file."""
        return cast(Mapping[str, Trace], getattr(sys.modules[self.module], kind, {}))

    def missing(self, trace: Trace) -> list[str]:
        """The entries of `needs` that the trace does not meet."""
        return [need for need in self.needs if not any(trace.has(name) for name in need.split("|"))]


def rule(
    code: str,
    *,
    kind: Kind,
    needs: Iterable[str],
    severity: Severity = Severity.WARNING,
    explains: Iterable[str] = (),
    preview: bool = False,
    stages: Iterable[str] = (TRAINING,),
) -> Callable[[Judge], Rule]:
    """Make a rule of a function: its name becomes the fault's, its folder the place, its keywords the options."""

    def make(fn: Judge) -> Rule:
        place = fn.__module__.rpartition(".")[0].rpartition(".")[2]  # the folder
        if place not in get_args(Place):
            place = "optimisation"  # an outsider's rule, loaded through an entry point
        name = fn.__name__.replace("_", "-")
        doc = inspect.getdoc(fn) or ""
        if not doc:
            raise BadUnit(f"Rule {name!r} has no docstring; it needs one with the sections {', '.join(SECTIONS)}.")
        options = {p.name: p.default for p in inspect.signature(fn).parameters.values() if p.kind is p.KEYWORD_ONLY}
        return Rule(
            name,
            code,
            kind,
            cast(Place, place),
            severity,
            tuple(needs),
            tuple(explains),
            options,
            preview,
            tuple(stages),
            doc,
            fn,
            fn.__module__,
        )

    return make
