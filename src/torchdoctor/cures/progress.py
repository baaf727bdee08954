"""What a cure is doing and why, told while it works. How it is shown is the business of whoever listens.

May not: print.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["examine", "baseline", "race", "confirm"]
Unit = Literal["runs", "seconds", "trials"]


@dataclass(frozen=True)
class Progress:
    """what: "standardize-inputs, seed 2 of 3". why: in one sentence.

    done, total: of the budget, in the unit it was given in; of runs, the first and unchanged one is counted too. A cure
    may end before its budget does. eta: seconds until then at most; None while a run's length is not yet known.
    """

    stage: Stage
    what: str
    why: str
    done: float
    total: float
    unit: Unit
    eta: float | None = None


ReportProgress = Callable[[Progress], object]
