"""A Signal is one quantity worth recording: its name, unit, the moment of the step it is taken at, and how.

May not: judge, act, import torch at module level (rules are tested against signals where torch is absent).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from torchdoctor.record.moment import Moment

# "step": every step, must be nearly free. The next three are taken on sampled steps only, when the forward pass has
# ended, when backward has ended (before any clipping), and when the optimizer has stepped. "logged": not measured but
# handed in, by the user's `watch.log` or by a stage.
At = Literal["step", "forward", "backward", "update", "logged"]
# The last four are of evaluations: training, validation or test; a simple method; a class; a way to disturb inputs.
Per = Literal["run", "module", "parameter", "group", "phase", "part", "baseline", "class", "disturbance"]


class Columns(NamedTuple):
    """One number per subject. subjects: n names; values: n 0-d tensors or floats, or one tensor (n,), on any device.

    A vector per subject is one tensor (k,) with one subject.
    """

    subjects: Sequence[str]
    values: Sequence[Tensor | float] | Tensor


Measured = Columns | None  # None: nothing to say at this moment
Measure = Callable[["Moment"], Measured]


@dataclass(frozen=True)
class Signal:
    """unit: of one value, "1" for a pure number. per: what its subjects are. measure: None for logged signals."""

    name: str
    unit: str
    at: At
    per: Per
    doc: str
    measure: Measure | None
    module: str


def signal(*, unit: str, at: At, per: Per = "run") -> Callable[[Measure], Signal]:
    """Make a signal of a function from Moment to Columns. It must not call .item() or .cpu(), change anything, or draw
    random numbers: values stay on the device until the next flush."""

    def make(fn: Measure) -> Signal:
        measure = None if at == "logged" else fn
        return Signal(fn.__name__, unit, at, per, inspect.getdoc(fn) or "", measure, fn.__module__)

    return make
