"""Every error raised on purpose. One line each: what is wrong with which value, then what to do.

TorchDoctorError
  + BadUnit       a rule, signal, probe, fix or verb file breaks its contract (its author's mistake)
  + BadParts      a model, loader, loss or optimizer that cannot be examined or trained
  + BadRecipe     a recipe key or value that cannot be used
  + BadRun        a folder that holds no run, or one that cannot be read or written
  + BadCheckpoint a checkpoint that is damaged or belongs to another model
  + MissingExtra  an optional library that is not installed; names the pip line
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TorchDoctorError(Exception):
    """Base of all errors raised on purpose; the command line prints them as one line and exits with 2."""


class BadUnit(TorchDoctorError): ...


class BadParts(TorchDoctorError): ...


class BadRecipe(TorchDoctorError): ...


class BadRun(TorchDoctorError): ...


class BadCheckpoint(TorchDoctorError): ...


class MissingExtra(TorchDoctorError): ...


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The tail of an error about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."


def one_line(error: BaseException) -> str:
    """The type and the first line of somebody else's error; torch's messages can run over pages."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
