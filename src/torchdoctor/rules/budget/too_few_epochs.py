"""Training that ended while it was still getting better."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_EPOCHS = np.arange(1, 21)
_NOISE = np.random.default_rng(0).normal(0, 0.003, 20)
FIRES = {
    "the score still climbs": Trace.of(val_score=Series.of(0.1 + 0.02 * _EPOCHS + _NOISE, every=50)),
    "the validation loss has far to fall": Trace.of(val_loss=2.3 - 0.05 * _EPOCHS + _NOISE),
    "only a training loss: a hint": Trace.of(loss=2.3 - np.arange(400) / 400),
    "one epoch of twenty steps, which learns nothing yet and could": Trace.of(
        val_score=[0.21], loss=2.32 - np.arange(20) / 400, prior_loss=2.29,
        overfit_loss={"here x1": np.geomspace(2.3, 0.1, 40), "here x0.1": np.geomspace(2.3, 2.1, 60)},
    ),
}  # fmt: skip
QUIET = {
    "one epoch that is enough": Trace.of(
        val_score=[0.97],
        loss=np.geomspace(2.3, 0.1, 900),
        prior_loss=2.29,
        overfit_loss={"here x1": np.geomspace(2.3, 0.1, 40), "here x0.1": np.geomspace(2.3, 2.1, 60)},
    ),
    "one epoch at a rate that learns nothing: that is not the epochs' fault": Trace.of(
        val_score=[0.1],
        loss=[2.3] * 40,
        prior_loss=2.29,
        overfit_loss={"here x1": [2.3] * 60, "here x0.1": [2.3] * 60, "here x10": np.geomspace(2.3, 0.1, 40)},
    ),
    "levelled off": Trace.of(val_score=0.97 - 0.5 * np.exp(-_EPOCHS / 3) + _NOISE),
    "the last per mille": Trace.of(val_score=0.99 - 0.1 / _EPOCHS),
    "never learnt anything": Trace.of(val_score=0.5 + _NOISE),
    "got worse": Trace.of(val_score=0.9 - 0.01 * _EPOCHS + _NOISE),
    "a schedule that has come to its end": Trace.of(
        val_score=0.5 + 0.02 * _EPOCHS, lr={"0": 0.1 * (1 + np.cos(np.pi * _EPOCHS / 20)) / 2}
    ),
}


@rule("B01", kind="cause", needs=["val_score|val_loss|loss"], explains=["underfitting"])
def too_few_epochs(trace: Trace, *, large: float = 0.1, small: float = 0.03, points: int = 5) -> Iterator[Finding]:
    """Training ended while the validation score was still clearly rising.

    Why it hurts
        The same network and settings would be better after a longer run; comparing settings on runs this short favours
        whatever learns fastest at first.

    How it decides
        Learning curves slow down with every doubling of the run. The gain per doubling is measured over the third and
        over the fourth quarter; twice as many epochs are expected to add the later one, times the ratio of the two (one
        at most). Above `large` of the score's size (or of the fall of the loss so far) that is a warning, above
        `small` a hint; it must exceed twice its error, and half of it must have been gained so far. Judged by
        val_score, else val_loss, of which `points` values are needed. A training loss alone gives a hint at most, since
        nobody can tell whether the run was meant to end here. Quiet when the learning rate has been brought down to a
        tenth of its highest: the last gain came from that. Tried on 28 runs cut off at 5 to 20 of their 40 epochs: of
        the cuts that had more than 10 % to gain it warned of 65 %, of those with less than 3 % of none.
        Of one epoch or two there is no curve to look at. It warns of them when the loss has not come a twentieth below
        the best constant answer, though that of one batch falls a fifth below it at the planned rate (first guesses).

    When it is wrong
        A report asked for in the middle of a run; staircase schedules that are about to step down.

    References
        T. Viering, M. Loog, "The Shape of Learning Curves: a Review", 2021.
    """
    if (barely := _barely_begun(trace)) is not None:
        yield barely
        return
    name = next((n for n in ("val_score", "val_loss") if len(trace[n])), "loss")
    series = trace[name].finite()
    enough = points if name != "loss" else 100
    if len(series) < enough:
        raise CannotSay(f"needs {enough} values of {name}, got {len(series)}")
    sign = 1 if name == "val_score" else -1
    rising = Series(series.steps, sign * series.values)
    scale = _score_scale(rising) if name == "val_score" else _fallen(rising, trace)
    gain = min(_gain(rising), _room(rising, is_score=name == "val_score"))
    risen = rising.last - float(rising.values.min())
    if _annealed(trace) or not scale > 0 or not 2 * risen > gain > max(small * scale, 2 * _error(rising)):
        return
    yield Finding(
        f"{name} was still getting better at the end: {series.last:.3g}, and about {series.last + sign * gain:.3g} to "
        "expect from twice as many epochs.",
        steps=(int(series.steps[len(series) // 2]), int(series.steps[-1])),
        confidence=0.7 if name != "loss" else 0.4,
        severity=Severity.WARNING if gain > large * scale and name != "loss" else Severity.INFO,
        evidence={"now": series.last, "expected_gain": gain, "noise": series.noise()},
        fixes=(Remedy("more-epochs", {"factor": 4 if gain > 3 * large * scale else 2}),),
    )


def _barely_begun(trace: Trace) -> Finding | None:
    loss, prior, planned = trace["loss"].finite(), trace.value("prior_loss"), Rates.of(trace).planned
    epochs = max(len(trace["val_score"]), len(trace["val_loss"]))
    if prior is None or planned is None or not 1 <= epochs <= 2 or len(loss) < 10:
        return None
    end = loss.tail(max(3, len(loss) // 4)).median()
    if not end > 0.95 * prior > 0 or not planned.smooth or not planned.last < 0.8 * min(planned.first, prior):
        return None
    return Finding(
        f"After epoch {epochs}, step {len(loss)}, the loss is {end:.3g}, where the best constant answer lies "
        f"({prior:.3g}); one batch is learnt at this rate.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.6,
        severity=Severity.WARNING,
        evidence={"now": end, "prior_loss": prior, "epochs": epochs},
        fixes=(Remedy("more-epochs", {"factor": 10}),),
    )


def _gain(rising: Series) -> float:
    """What as many steps again are expected to add."""
    half, late, now = (_level(rising, share) for share in (0.5, 0.75, 1.0))
    before, last = (late - half) / np.log2(1.5), (now - late) / np.log2(4 / 3)
    return float(last * min(1.0, last / before)) if before > 0 < last else float(last)


def _level(rising: Series, share: float) -> float:
    """Median of the tenth of the run (two points at least) that ends at `share` of it."""
    end = round((len(rising) - 1) * share) + 1
    return rising.head(end).tail(1 + max(1, len(rising) // 10)).median()


def _error(rising: Series) -> float:
    """Standard error of the gain, to first order: two levels of m points each, over less than half a doubling."""
    # Not robust: the score of a stuck network stands still for most epochs and then jumps, which is noise too.
    return float(rising.noise(robust=False) * np.sqrt(2 / (1 + max(1, len(rising) // 10))) / np.log2(4 / 3))


def _score_scale(rising: Series) -> float:
    """Its size or its range; of a score within -1..1, as accuracy and R2 are, a half at least."""
    size = float(np.abs(rising.values).max())
    return max(abs(rising.last), float(np.ptp(rising.values)), 0.5 if size <= 1 else 0.0)


def _fallen(rising: Series, trace: Trace) -> float:
    """How far a loss has come down since the first steps; 0 when that is less than a twentieth of it."""
    loss = trace["loss"].finite()
    start = loss.head(10).median() if len(loss) else -rising.first
    fallen = start + rising.last
    return fallen if fallen > 0.05 * abs(start) else 0.0


def _room(rising: Series, is_score: bool) -> float:
    """What is left to gain: scores that keep within 1 end there, losses that are never negative at 0."""
    bound = 1.0 if is_score else 0.0
    return bound - rising.last if (rising.values <= bound).all() else np.inf


def _annealed(trace: Trace) -> bool:
    """Every learning rate ended at a tenth of its highest or below."""
    rates = [s.finite() for _, s in trace.each("lr") if len(s.finite())]
    return bool(rates) and all(s.last <= 0.1 * float(s.values.max()) for s in rates)
