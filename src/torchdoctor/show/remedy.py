"""A fix as a person reads it: its name with the numbers filled in, and the lines she would write."""

from __future__ import annotations

from torchdoctor.errors import BadUnit
from torchdoctor.fixes.fix import code_of
from torchdoctor.judge.finding import Remedy
from torchdoctor.show.words import number, printable


def call(remedy: Remedy) -> str:
    """set-learning-rate(lr=0.01)"""
    given = ", ".join(f"{key}={_value(value)}" for key, value in remedy.options.items() if value is not None)
    return printable(f"{remedy.fix}({given})" if given else remedy.fix)


def code(remedy: Remedy) -> str:
    """The lines to write; "" where the fix is not installed here, or needs torch and this machine has none."""
    try:
        return code_of(remedy).strip("\n")
    except (BadUnit, ImportError):
        return ""


def _value(value: object) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value[:3]))}{', …' if len(value) > 3 else ''}]"
    return str(value)
