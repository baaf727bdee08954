"""Training that ended while it was still getting better."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

STEPS = 20  # of fewer no pace can be told
FASTER = Remedy("set-learning-rate", {"factor": 10.0})  # as far in fewer steps, where the rate allows it
HALF = 0.5  # of the best constant answer's loss: a run that got below has learnt its task in the main

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
    "four epochs, and the loss falls as fast as ever": Trace.of(
        val_score=[0.2, 0.25, 0.3, 0.35], loss=2.3 - 0.8 * np.arange(200) / 200, prior_loss=2.3,
        overfit_loss={"here x1": np.geomspace(2.3, 0.1, 40), "here x0.1": np.geomspace(2.3, 2.1, 60)},
    ),
}  # fmt: skip
QUIET = {
    "one epoch in which nothing falls, and no rate was tried": Trace.of(
        val_score=[0.1], loss=np.random.default_rng(1).normal(2.3, 0.03, 60), prior_loss=2.3
    ),
    "four epochs of a warm-up": Trace.of(
        val_score=[0.2, 0.25, 0.3, 0.35],
        loss=2.3 - 0.8 * (np.arange(200) / 200) ** 2,
        prior_loss=2.3,
        lr={"0": np.linspace(1e-5, 1e-3, 200)},
        overfit_loss={"here x1": np.geomspace(2.3, 0.1, 40)},
    ),
    "four epochs, slower and slower": Trace.of(
        val_score=[0.2, 0.25, 0.3, 0.35],
        loss=1.5 + 0.8 * np.exp(-np.arange(200) / 50),
        prior_loss=2.3,
        overfit_loss={"here x1": np.geomspace(2.3, 0.1, 40), "here x0.1": np.geomspace(2.3, 2.1, 60)},
    ),
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
        the best constant answer, though that of one batch falls a tenth below it at the planned rate (first guesses);
        where no rate was tried, though its second half lies three standard errors below the first.
        And of few epochs when the loss ended above half of the best constant answer, fell in the last quarter 0.7 times
        as far as in any other, and would be below that half after three more runs at this pace.

    When it is wrong
        A report asked for in the middle of a run; staircase schedules that are about to step down.

    References
        T. Viering, M. Loog, "The Shape of Learning Curves: a Review", 2021.
    """
    if (cut := _barely_begun(trace) or _on_its_way(trace, points)) is not None:
        yield cut
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
        fixes=(Remedy("more-epochs", {"factor": 4 if gain > 3 * large * scale else 2}), FASTER),
    )


def _barely_begun(trace: Trace) -> Finding | None:
    loss, prior, planned = trace["loss"].finite(), trace.value("prior_loss"), Rates.of(trace).planned
    epochs = max(len(trace["val_score"]), len(trace["val_loss"]))
    if prior is None or not 1 <= epochs <= 2 or len(loss) < 10:
        return None
    end = loss.tail(max(3, len(loss) // 4)).median()
    if not end > 0.95 * prior > 0:
        return None
    before, after, error = loss.halves(10)
    learns = before - after > 3 * error  # where nothing was tried, the run itself must show it
    if planned is not None:
        learns = planned.smooth and planned.last < 0.9 * min(planned.first, prior)
    if not learns:
        return None
    return Finding(
        f"After epoch {epochs}, step {len(loss)}, the loss is {end:.3g}, where the best constant answer lies "
        f"({prior:.3g}), though this rate learns.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.6,
        severity=Severity.WARNING,
        evidence={"now": end, "prior_loss": prior, "epochs": epochs},
        fixes=(Remedy("more-epochs", {"factor": 10}), FASTER),
    )


def _on_its_way(trace: Trace, points: int) -> Finding | None:
    loss, rates, prior = trace.taken("loss").finite(), Rates.of(trace), trace.value("prior_loss")
    if prior is None or not prior > 0 or len(loss) < STEPS or len(trace["val_score"]) >= points:
        return None
    if _annealed(trace) or _warming_up(trace):
        return None
    levels = [float(np.median(part)) for part in np.array_split(loss.values, 4)]
    falls, half = -np.diff(levels), HALF * prior
    noise = 3 * loss.noise() * np.sqrt(8 / len(loss))  # three standard errors of a difference of two quarters
    planned = rates.planned
    learns = planned is not None and rates.learnable and planned.smooth and planned.fallen >= 0.3
    steady = falls[-1] >= max(0.7 * falls.max(), noise) and half < levels[-1] and levels[-1] - 12 * falls[-1] < half
    if not learns or not steady:
        return None
    return Finding(
        f"The loss fell by {falls[-1]:.2g} in the last quarter of {len(loss)} steps, as fast as ever, and ended at "
        f"{levels[-1]:.3g}; the best constant answer has {prior:.3g}.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=0.6,
        severity=Severity.WARNING,
        evidence={"now": levels[-1], "last_fall": float(falls[-1]), "prior_loss": prior},
        fixes=(Remedy("more-epochs", {"factor": 4}), FASTER),
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


def _warming_up(trace: Trace) -> bool:
    """A learning rate ended as high as it ever was, and higher than it began: the pace is the schedule's."""
    rates = [s.finite() for _, s in trace.each("lr") if len(s.finite()) > 1]
    return any(s.last == float(s.values.max()) > s.first for s in rates)


def _annealed(trace: Trace) -> bool:
    """Every learning rate ended at a tenth of its highest or below."""
    rates = [s.finite() for _, s in trace.each("lr") if len(s.finite())]
    return bool(rates) and all(s.last <= 0.1 * float(s.values.max()) for s in rates)
