"""Steps so long that they leap over what they aim at."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Curve, Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

FARTHEST = 1e30  # steps of the weights' length: what float32 can still tell
WILD = 10.0  # times its start: no healthy run of the cases leapt farther than 4

_DOWN, _SLOW = list(np.geomspace(2.3, 0.05, 40)), list(np.geomspace(2.3, 2.0, 60))
_WILD = [2.3, 40.0, 17.0, 9.0, *[2.4, 2.2, 2.3] * 18]
_MATRIX = {"parameters": {"fc.weight": {"shape": [64, 10], "trainable": True, "in_optimizer": 1}}}
FIRES = {
    "one batch is learnt at a tenth only": Trace.of(
        overfit_loss={"here x1": _WILD, "here x0.1": _DOWN, "here x10": [2.3, float("nan")]}
    ),
    "not finite at the planned rate": Trace.of(
        overfit_loss={"here x1": [1.0, 1e9, float("inf")], "here x0.1": [1.0, 1.2, 1e5], "here x0.01": _DOWN}
    ),
    "learnt in the end, after a leap": Trace.of(
        overfit_loss={"here x1": [2.3, 30.0, 8.0, *_DOWN], "here x0.1": _DOWN, "here x10": _WILD}
    ),
    "a run that comes back from its leap has learnt nothing": Trace.of(
        overfit_loss={"here x1": _WILD, "here x0.1": _DOWN, "here x10": _WILD},
        loss=[2.3, *np.geomspace(400, 2.3, 199)],
        prior_loss=2.3,
    ),
    "ten thousand times too high at first, and half learnt in the end": Trace.of(
        overfit_loss={"here x1": [0.18, 17.0, 1317.0, *[0.15] * 57], "here x0.1": _DOWN, "here x10": _WILD},
        loss=[0.18, 12.0, 1324.0, *np.geomspace(27, 0.09, 200)],
        prior_loss=0.17,
    ),
    "a million million times too high, under a loss that is finite all the same": Trace.of(
        overfit_loss={"here x1": [0.25, *[0.46] * 59], "here x0.1": [0.25, *[0.46] * 59],
                      "here x10": [0.25, *[0.46] * 59], "here x1e-14": _DOWN},
    ),
    "a first step that leaves nothing of the weights, though the loss falls": Trace.of(
        _MATRIX, overfit_loss={"here x1": [0.23, *[0.09] * 59], "here x1e-13": _DOWN},
        update_ratio={"fc.weight": [2e10, 0.0]}, weight_norm={"fc.weight": [3.0, 6e10]},
    ),
    "watched: steps of no finite length, and a loss that is": Trace.of(
        _MATRIX, loss=[0.25, *[0.5] * 60], update_ratio={"fc.weight": [float("inf"), 0.0, float("nan")]}
    ),
    "watched: the first steps are as long as the weights, and the loss leaps": Trace.of(
        _MATRIX, loss=[2.3, 70.0, 30.0, *[2.35] * 60], update_ratio={"fc.weight": [0.7, 0.6, 0.2, 0.1]}
    ),
    "watched: long steps to infinity": Trace.of(
        _MATRIX, loss=[1.0, 9e3, float("inf"), float("nan")], update_ratio={"fc.weight": [5.0, 80.0]}
    ),
}  # fmt: skip
QUIET = {
    "a last layer that begins with zeros": Trace.of(
        {"parameters": dict.fromkeys(("in.weight", "out.weight"), _MATRIX["parameters"]["fc.weight"])},
        loss=np.geomspace(0.56, 0.2, 100), weight_norm={"in.weight": [3.0] * 4, "out.weight": [0.0, 0.01, 0.02, 0.03]},
        update_ratio={"in.weight": [0.0, 1e-3, 1e-3], "out.weight": [1e10, 0.5, 0.3]},
    ),
    "any step is long beside weights of zero": Trace.of(
        _MATRIX, overfit_loss={"here x1": _DOWN, "here x0.1": _SLOW}, update_ratio={"fc.weight": [1e9, 0.1]},
        weight_norm={"fc.weight": [0.0, 0.01]},
    ),
    "the planned rate is as good as any": Trace.of(
        overfit_loss={"here x1": _DOWN, "here x0.1": _SLOW, "here x10": _WILD}
    ),
    "no rate learns anything": Trace.of(
        overfit_loss={"here x1": _WILD, "here x0.1": [2.3] * 60, "here x10": _WILD, "here x0.01": [2.3] * 60}
    ),
    "a schedule warms up to it": Trace.of(
        {"warms_up": True}, overfit_loss={"here x1": _WILD, "here x0.1": _DOWN, "here x10": _WILD}
    ),
    "watched: long first steps that do no harm": Trace.of(
        _MATRIX, loss=_DOWN, update_ratio={"fc.weight": [0.5, 0.2, 0.1, 0.05]}
    ),
    "watched: a quasi-Newton step as long as the weights, and most is learnt": Trace.of(
        _MATRIX, loss=[0.3, 0.07, 0.01, *[1e-7] * 9], update_ratio={"fc.weight": [1.8, 0.7, 0.5, 0.2]}
    ),
    "watched: one hard batch": Trace.of(
        _MATRIX, loss=[0.1, 0.5, *[0.09] * 60], update_ratio={"fc.weight": [1e-3] * 4}
    ),
}  # fmt: skip


@rule(
    "H01",
    kind="cause",
    severity=Severity.ERROR,
    needs=["overfit_loss|update_ratio"],
    explains=[
        "non-finite-loss", "non-finite-gradient", "exploding-gradients", "dead-units", "saturated-units",
        "oscillating-loss", "loss-spike", "stalled-loss", "no-better-than-prior", "underfitting",
        "abnormal-update-ratio",
    ],
)  # fmt: skip
def high_learning_rate(
    trace: Trace,
    *,
    fallen: float = 0.3,
    leap: float = 2.5,
    ratio: float = 0.05,
    long: float = 0.3,
    absurd: float = 1000,
) -> Iterator[Finding]:
    """The learning rate is so high that the loss leaps, oscillates or leaves for infinity.

    Why it hurts
        Each step lands beyond the minimum it aims at. The first few can push ReLUs and softmax so far that they never
        come back, and what looks like a broken network is a broken start.

    How it decides
        By experiment, where there was one: one batch is learnt by heart at the planned rate and at fractions of it.
        The planned one is at fault when it goes less than `fallen` of the way of the best, or first leaps to `leap`
        times the loss at the start, while a tenth or less of it goes at least half the way without such a leap. Over
        fourteen small networks with fifteen customary optimizer settings each, none did; of 70 with rates 10 to 1000
        times too high, 60 did, and the others learnt well enough.
        In a run that was only watched: the loss leaps to `leap` times its start (or out of range) while weights move
        by more than `ratio` of their length a step, or it never falls while they move by `long` in the first steps.
        Healthy runs began with 0.1 at most, faulty ones with 0.1 to 600. And whatever the loss does, when a first step
        is `absurd` times as long as the weights, of half of the matrices: what was drawn is gone, and units that are
        saturated for good may well answer right by their signs.

    When it is wrong
        A warm-up that the loop makes by hand. Inputs or targets in large units, which make every rate too high: then
        the confidence is lower, and unscaled-inputs explains this finding.

    References
        L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017 (the range test).
    """
    rates = Rates.of(trace)
    if (beyond := _beyond(trace, absurd)) is not None:
        finding: Finding | None = beyond
    elif rates.planned is not None and rates.learnable:
        finding = _by_experiment(trace, rates, rates.planned, fallen, leap)
    else:
        finding = _by_watching(trace, leap, ratio, long)
    if finding is not None:
        yield finding


def _beyond(trace: Trace, absurd: float) -> Finding | None:
    early = _early_ratio(trace)
    lengths = [s.first for _, s in trace.each("weight_norm") if len(s)]
    if (
        not early >= absurd or not lengths or not float(np.median(lengths)) > 0
    ):  # any step is long beside weights of zero
        return None
    return Finding(
        f"The first steps are {early:.2g} times as long as the weights themselves.",
        confidence=0.95,
        evidence={"update_ratio": early},
        fixes=(Remedy("set-learning-rate", {"factor": _factor(early)}),),
    )


def _factor(ratio: float) -> float:
    """Of the rate, for steps of a hundredth of the weights."""
    return float(10.0 ** round(math.log10(0.01 / min(max(ratio, 0.02), FARTHEST))))


def _by_experiment(trace: Trace, rates: Rates, planned: Curve, fallen: float, leap: float) -> Finding | None:
    lower = [c for c in rates.curves if c.factor < 1 and c.fallen >= 0.5 and c.smooth]
    failed, leapt = not planned.fallen >= fallen, planned.peak > leap
    if not (lower and (failed or leapt)) or trace.facts.get("warms_up"):
        return None
    best = lower[-1]
    lost = "is no longer finite" if math.isinf(planned.last) else f"ends at {planned.last:.3g}"
    what = lost if failed else f"first leaps to {planned.peak * planned.first:.3g}"
    learning = _learns(trace)
    return Finding(
        f"Learning one batch by heart, the loss {what} at the planned rate and reaches {best.last:.3g} at "
        f"x{best.factor:g} (from {planned.first:.3g}).",
        confidence=(0.9 if failed else 0.7) * (0.6 if _large_data(trace) else 1.0) * (0.5 if learning else 1.0),
        severity=Severity.INFO if learning else Severity.ERROR if failed else Severity.WARNING,
        evidence={
            "first": planned.first,
            "planned": planned.last,
            "peak": planned.peak,
            f"x{best.factor:g}": best.last,
        },
        fixes=(Remedy("set-learning-rate", {"factor": best.factor}),),
    )


def _by_watching(trace: Trace, leap: float, ratio: float, long: float) -> Finding | None:
    loss = trace["loss"]
    early = _early_ratio(trace)
    if len(loss) < 2 or not loss.first > 0 or math.isnan(early):
        return None
    start = loss.first
    begun = loss.head(100)
    gone = not np.isfinite(begun.values).all()
    peak = float(np.max(begun.finite().values, initial=-math.inf))
    never_fell = gone or (len(loss) >= 50 and not loss.tail(len(loss) // 5).median() < 0.9 * start)
    leapt = peak > leap * start and early > ratio
    if not leapt and not (never_fell and early > long):
        return None
    stays = "is no longer finite" if gone else f"stays at {loss.tail(20).median():.3g}"
    what = f"leaps from {start:.3g} to {peak:.3g}" if leapt else stays
    return Finding(
        f"Each of the first steps moves the weights by {early:.2g} of their length, and the loss {what}.",
        steps=(int(loss.steps[0]), int(loss.steps[min(len(loss), 100) - 1])),
        # A leap that is followed by learning did no lasting harm.
        confidence=(0.75 if never_fell else 0.55) * (0.6 if _large_data(trace) else 1.0),
        severity=Severity.ERROR if never_fell else Severity.WARNING,
        evidence={"update_ratio": early, "first": start, "peak": peak},
        fixes=(Remedy("set-learning-rate", {"factor": _factor(early)}),),
    )


def _early_ratio(trace: Trace) -> float:
    """Median over the weight matrices of the largest of their first three recorded steps; biases begin near zero, and
    so do matrices that are zero on purpose, beside which any step is long."""
    shapes = trace.facts.get("parameters", {})
    zero = {name for name, s in trace.each("weight_norm") if len(s) and s.first == 0}
    first = [
        s.head(3).values
        for name, s in trace.each("update_ratio")
        if len(shapes.get(name, {}).get("shape", [])) > 1 and name not in zero
    ]
    ratios = [float(np.nanmax(values)) for values in first if not np.isnan(values).all()]  # infinite ones count
    return float(np.median(ratios)) if ratios else math.nan


def _learns(trace: Trace) -> bool:
    """The run itself, where it was watched, has more than halved its first loss: the planned rate cannot be hopeless.
    To come back from a leap, or down to the best constant answer, is no learning; who leapt to WILD times the start has
    to come down to a WILD-th."""
    loss: Series = trace["loss"].finite()
    if len(loss) < 100:
        return False
    begin, prior = min(loss.first, loss.head(3).median()), trace.value("prior_loss")
    begin = min(begin, prior) if prior is not None and prior > 0 else begin
    wild = float(loss.head(100).values.max()) > WILD * abs(loss.first)
    return loss.tail(len(loss) // 10).median() < begin - (1 - 1 / WILD if wild else 0.5) * abs(begin)


def _large_data(trace: Trace) -> bool:
    """Inputs or targets in units far above 1, which look just like a high rate."""
    sizes = [trace[name].median() for name in ("input_std", "target_std")]
    sizes += [s.last for _, s in trace.each("entering_rms")]
    return any(size > 10 for size in sizes)
