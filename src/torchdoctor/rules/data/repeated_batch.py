"""The same batch, or the same few, again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Ints, Series
from torchdoctor.judge.trace import Trace

_STEPS = [0, 1, 2, 4, 8, 16, 32, 64]
_SIZES: dict[str, Any] = {"samples": {"train": 1500.0}, "batch_size": 32.0, "batch_mean_spread": 0.1}


def _at(values: list[float]) -> Series:
    return Series.of(values, steps=_STEPS)


_MEANS = [0.31, 0.29, 0.33, 0.3, 0.32, 0.28, 0.305, 0.295]
FIRES = {
    "the loader gives one batch all the time": Trace.of(
        batch_repeat_share=0.98, samples_read={"train": 1500.0}, batch_size=32.0
    ),
    "the loop takes the first batch of a new pass each time": Trace.of(
        input_mean=_at([0.31] * 8), input_std=_at([1.1] * 8), input_absmax=_at([4.0] * 8), batch_repeat_share=0.0,
        **_SIZES,
    ),
}  # fmt: skip
QUIET = {
    "every batch once": Trace.of(
        input_mean=_at(_MEANS), input_std=_at([1.1] * 8), input_absmax=_at([4.0] * 8), batch_repeat_share=0.0, **_SIZES
    ),
    "four rows, many times over": Trace.of(
        batch_repeat_share=0.98, fed_share=1.0, samples_read={"train": 400.0}, batch_size=4.0
    ),
    "one batch is all there is": Trace.of(
        input_mean=_at([0.31] * 8), input_std=_at([1.1] * 8), input_absmax=_at([4.0] * 8), batch_repeat_share=0.0,
        samples={"train": 32.0}, batch_size=32.0, batch_mean_spread=0.0,
    ),
    "one-hot letters: every batch has the same mean": Trace.of(
        input_mean=_at([0.25] * 8), input_std=_at([0.43] * 8), input_absmax=_at([1.0] * 8), batch_repeat_share=0.0,
        samples={"train": 1500.0}, batch_size=32.0, batch_mean_spread=0.0,
    ),
}  # fmt: skip


@rule(
    "D16",
    kind="cause",
    needs=["batch_repeat_share|batch_mean_spread"],
    explains=["overfitting", "no-better-than-prior", "too-few-epochs", "too-many-epochs", "weak-regularization"],
)
def repeated_batch(trace: Trace, *, share: float = 0.5, seen: int = 5) -> Iterator[Finding]:
    """The same batch, or the same few, is fed again and again, though there are others.

    Why it hurts
        The network learns those samples by heart, the loss looks excellent, and nothing is learnt from the rest.

    How it decides
        From the loader: at least `share` of the batches of one pass (four at least) are equal to an earlier one, and
        the loader does not tell that it gave the whole dataset all the same (a truth table written many times over).
        From the loop: on `seen` sampled steps at least, of different places in the epoch, mean, standard deviation and
        largest value of the inputs are all the same to the last digit, while the loader's own batches differ in their
        mean, and the data hold more than a batch and a half. The usual way is `next(iter(loader))` inside of the loop,
        over a loader that does not shuffle.

    When it is wrong
        Learning one batch by heart on purpose, as a test.

    References
        None; both numbers are first guesses.
    """
    finding = _from_the_loader(trace, share) or _from_the_loop(trace, seen)
    if finding is not None:
        yield finding


def _from_the_loader(trace: Trace, share: float) -> Finding | None:
    repeats, read = trace.value("batch_repeat_share"), trace.value("samples_read", "train")
    size, fed = trace.value("batch_size"), trace.value("fed_share")
    batches = read / size if read and size else 0
    if repeats is None or not repeats >= share or batches < 4 or (fed is not None and fed > share):
        return None
    return Finding(
        f"{repeats:.0%} of the {batches:.0f} batches of a pass are equal to an earlier one.",
        confidence=0.9,
        evidence={"batch_repeat_share": repeats, "batches": batches},
        fixes=(Remedy("use-own-loop"),),
    )


def _from_the_loop(trace: Trace, seen: int) -> Finding | None:
    size, samples = trace.value("batch_size"), trace.value("samples", "train")
    if not size or not samples or samples < 1.5 * size or not (trace.value("batch_mean_spread") or 0) > 0:
        return None
    series = [trace[name] for name in ("input_mean", "input_std", "input_absmax")]
    if any(len(s) < seen for s in series):
        return None
    if len(_places(series[0].steps, -(-samples // size))) < 2 or any(len(np.unique(s.values)) > 1 for s in series):
        return None
    return Finding(
        f"{len(series[0])} sampled steps had the same inputs (mean {series[0].last:.6g} each time), of {samples:.0f} "
        "samples that there are.",
        steps=(int(series[0].steps[0]), int(series[0].steps[-1])),
        confidence=0.9,
        evidence={"steps": len(series[0]), "input_mean": series[0].last, "samples": samples},
        fixes=(Remedy("use-own-loop"),),
    )


def _places(steps: Ints, batches: float) -> Ints:
    """Where in an epoch the steps lie, if each takes a batch."""
    return np.unique(steps % max(1, int(batches)))
