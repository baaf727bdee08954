"""A loss that had come down and shoots up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Floats, Series
from torchdoctor.judge.trace import Trace

_STEPS = np.arange(300)
_NOISE = np.abs(np.random.default_rng(0).normal(0, 0.05, 300))
_FALLING = 2.3 * np.exp(-_STEPS / 30) + 0.1 + _NOISE


def _with(at: int, size: float, length: int) -> Trace:
    """The falling loss, thrown up by `size` at step `at`, and back again over `length` steps."""
    back = np.where(at <= _STEPS, size * np.exp(-np.maximum(0, _STEPS - at) / length), 0.0)
    return Trace.of(loss=_FALLING + back)


FIRES = {
    "up again to where it began, and slowly back": _with(150, 2.5, 15),
    "and never back": Trace.of(loss=np.where(_STEPS < 200, _FALLING, 2.3 + _NOISE)),
}
QUIET = {
    "falls": Trace.of(loss=_FALLING),
    "one hard batch": Trace.of(loss=_FALLING + 9.0 * (_STEPS == 150)),
    "a ripple": _with(150, 0.4, 15),
    "nothing learnt that could be lost": Trace.of(loss=2.3 + 4 * _NOISE),
}


@rule("O08", kind="symptom", needs=["loss"], explains=["underfitting"])
def loss_spike(
    trace: Trace, *, rise: float = 0.5, hold: int = 5, window: int = 30, often: int = 3, steps: int = 60
) -> Iterator[Finding]:
    """The loss had come down and shoots up again, for more than a batch or two.

    Why it hurts
        One step threw the weights away from what was learnt; the steps until the loss is back are lost, and some runs
        never come back.

    How it decides
        The level before is the median of `window` steps. Where that lay a third below the start, and the median of the
        next `hold` steps gives back `rise` of the way from the start, by eight times the noise too and above each of
        the steps before, it is a spike; as a median of so many, so that single hard batches make none. A hint where the
        loss comes back, a warning where it does not or where it happens `often`. Needs `steps` steps. Nothing is said
        where networks train in turns. Twice the running mean over ten steps is the published rule of thumb; it would
        alarm on any network that has nearly learnt its data, so the way from the start is the measure here.

    When it is wrong
        Warm restarts of the rate that undo half of what was learnt; data whose source changes on the way.

    References
        A. Chowdhery et al., "PaLM", 2022, section 5.1; M. Wortsman et al., "Small-scale proxies for large-scale
        Transformer training instabilities", 2023.
    """
    loss = trace.taken("loss").finite()
    if len(loss) < max(steps, window + hold):
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    if trace.takes_turns:
        raise CannotSay("another network trains in turns with this one, and such losses jump by nature")
    start = min(loss.first, loss.head(max(5, len(loss) // 20)).median())
    before, highest, after = _levels(loss, window, hold)
    far = np.maximum(rise * (start - before), 8 * loss.noise())
    up = (start - before > abs(start) / 3) & (after - before > far) & (after > highest)
    if not up.any():
        return
    spikes = _groups(up, window)
    first = spikes[0]
    peak = float(after[spikes[0] : spikes[0] + window].max())
    at = int(loss.steps[first + window])
    lost = loss.between(at, trace.last_step).tail(window).median() > before[first] + 0.5 * (start - before[first])
    yield Finding(
        f"The loss shot up from {before[first]:.3g} to {peak:.3g} at step {at}"
        + (f", and {len(spikes)} times in all." if len(spikes) > 1 else ", and stayed up." if lost else "."),
        steps=(at, int(loss.steps[-1])),
        confidence=0.8,
        severity=Severity.WARNING if lost or len(spikes) >= often else Severity.INFO,
        evidence={"before": float(before[first]), "peak": peak, "spikes": len(spikes), "last": loss.last},
        fixes=(Remedy("clip-gradients"), Remedy("set-learning-rate", {"factor": 0.3})),
    )


def _levels(loss: Series, window: int, hold: int) -> tuple[Floats, Floats, Floats]:
    """Of every step with `window` steps before it: their median, the highest, and the median of it and the following
    `hold` - 1."""
    before = np.lib.stride_tricks.sliding_window_view(loss.values, window)[: len(loss) - window - hold + 1]
    return np.median(before, axis=1), before.max(axis=1), loss.smooth(hold).values[window : window + len(before)]


def _groups(up: NDArray[np.bool_], apart: int) -> list[int]:
    """The first place of every run of places that lie no more than `apart` from one another."""
    at = np.flatnonzero(up)
    return [int(a) for i, a in enumerate(at) if i == 0 or a - at[i - 1] > apart]
