"""A Verb is one command of `torchdoctor`: a function whose parameters typer turns into arguments and options.

A verb's file imports nothing heavy at its top: all of them are loaded to print `torchdoctor --help`.
May not (here): know any verb.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

Deed = Callable[..., int | None]


@dataclass(frozen=True)
class Verb:
    """run(**parameters) -> exit code; None means 0. doc: shown by --help, its first line in the list of verbs."""

    name: str
    doc: str
    run: Deed
    module: str


def verb(fn: Deed) -> Verb:
    """Make a verb of a function: it is named like the function, with hyphens."""
    return Verb(fn.__name__.replace("_", "-"), inspect.getdoc(fn) or "", fn, fn.__module__)
