"""What an experiment on a model, or a look at data, hands over: numbers, kept as signals like any others, and facts.

May not: measure, judge, import torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Measurement(NamedTuple):
    """One recorded value. value: a float, or a list of floats for a vector. step: 0 unless the probe takes steps."""

    signal: str
    value: float | list[float]
    subject: str = ""
    step: int = 0


class Fact(NamedTuple):
    """Something learnt that is not a number over steps; plain JSON values."""

    name: str
    value: Any
