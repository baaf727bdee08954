"""An optimizer that gets nowhere at any rate, where another at its defaults does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.races import Races, starts_badly
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_LEAPS = {"here x1": [2.3, 219.0, 1.9], "here x0.01": [2.3, 1.8, 1.3], "here x0.001": [2.3, 2.25, 2.2]}


def _races(unseen: float = 1.0, more: Mapping[str, Any] | None = None, **reached: float) -> Trace:
    """From a loss of 2.3. unseen: how much higher the loss of the batches kept back is in the other optimizer's run."""
    runs = {name.replace("_", " "): Series.of([2.3, last], steps=[0, 240]) for name, last in reached.items()}
    beside = {n: r.last * (unseen if n in ("adam", "sgd x1") else 1.0) for n, r in runs.items()}
    return Trace.of(raced_loss=runs, raced_unseen_loss=beside, **(more or {}))


FIRES = {
    "Adam gets there": _races(as_planned=2.1, rate_x10=1.8, adam=0.4),
    "momentum gets there": _races(as_planned=2.4, rate_x10=float("inf"), sgd_x1=0.3),
}
QUIET = {
    "at ten times the rate it gets there too": _races(as_planned=2.1, rate_x10=0.5, adam=0.4),
    "nothing else gets anywhere": _races(as_planned=2.1, rate_x10=2.2, adam=2.2),
    "only on what it was shown": _races(as_planned=2.0, rate_x10=2.1, adam=0.4, unseen=6.0),
    "it learns": _races(as_planned=0.4),
    "the weights are at fault": _races(
        as_planned=2.3, adam=0.4, more={"overfit_loss": {"here x1": [2.3, 2.29], "fresh x1": [2.3, 0.04]}}
    ),
}


@rule(
    "H09",
    kind="cause",
    needs=["raced_loss"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs", "abnormal-update-ratio",
              "oscillating-loss", "low-learning-rate"],
)  # fmt: skip
def unsuitable_optimizer(trace: Trace, *, way: float = 0.35, times: float = 3.0) -> Iterator[Finding]:
    """Another optimizer at its defaults gets far, where this one gets nowhere at the planned rate, or ten times it.

    Why it hurts
        Plain gradient descent crawls where layers, words or features have gradients of very different sizes; some
        optimizers (Rprop, LBFGS) expect the whole data in each step, and others let their steps die away.

    How it decides
        By experiment: the same few hundred steps on the same batches with the planned optimizer at the planned rate,
        ten times and a tenth of it, and with Adam at its default (momentum of 0.9 at a rate of 0.01 and 0.1 where the
        plan is Adam); all without dropout and weight decay, which have rules of their own. The other must lose `way` of
        the loss that it began at, and `times` as much as the planned one does at its best, with no higher a loss on
        batches kept back, in eval mode. A hint only where a rate farther off learns one batch by heart, or goes more
        than three times as far down with it: then the rate is the nearer cause. Nothing is said where freshly drawn
        weights learn a batch that the given ones do not. The experiment is made only where the planned run ends above
        three tenths of where it began. The thresholds are first guesses.

    When it is wrong
        Recipes that need thousands of steps before they move, and then end better than Adam.

    References
        D. Kingma, J. Ba, "Adam", 2015. J. Zhang et al., "Why are Adaptive Methods Good for Attention Models?", 2020.
    """
    races = Races.of(trace)
    best, other = races.at_best_rate, races.best("adam") or races.best("sgd")
    if best is None:
        raise CannotSay("no race as planned was run, or its loss began at zero or below")
    if other is None or starts_badly(trace) or not other[1].way > way or not other[1].outruns(best, times):
        return
    name, found = other
    momentum = name.startswith("sgd")
    elsewhere = _nearer_cause(Rates.of(trace))
    yield Finding(
        f"In {races.steps} steps the loss goes from {best.first:.3g} to {best.last:.3g} at the best of three rates, "
        f"and to {found.last:.3g} with {'SGD and momentum' if momentum else 'Adam at its default'}.",
        confidence=0.45 if elsewhere else 0.75,
        severity=Severity.INFO if elsewhere else Severity.WARNING,
        evidence={"first": best.first, "at_best_rate": best.last, "other": found.last},
        fixes=(Remedy("use-momentum", {"lr": 0.01 * float(name[5:])}) if momentum else Remedy("use-adam"),),
    )


def _nearer_cause(rates: Rates) -> bool:
    """One batch is learnt at another rate, or, where the loss cannot fall far, far better or without a leap (H01)."""
    if any(c.factor != 1 and c.smooth and 0 <= c.last < 0.3 * c.first for c in rates.curves):
        return True
    planned = rates.planned
    if planned is None or not rates.learnable:
        return False
    leaps = not planned.smooth and any(c.factor < 1 and c.smooth and c.fallen > 0.5 for c in rates.curves)
    return leaps or planned.fallen < 0.3
