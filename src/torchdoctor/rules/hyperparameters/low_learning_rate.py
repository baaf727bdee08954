"""Steps so short that the run ends before it gets anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.chance import chance_levels
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rates import Curve, Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

EPOCHS = 20  # more than this for what a better rate does in a fraction of one: nobody plans that
WATCHED = 500  # steps of a run after which it is asked what it learnt, and not what it may yet learn
SOME = 0.2  # of the way of the best rate: this rate works

_DOWN, _LEVEL = list(np.geomspace(2.3, 0.05, 40)), list(np.linspace(2.3, 2.297, 60))
_MATRIX = {"parameters": {"fc.weight": {"shape": [64, 10], "trainable": True, "in_optimizer": 1}}}
_CURVES = {"here x1": _LEVEL, "here x0.1": _LEVEL, "here x10": list(np.linspace(2.3, 2.27, 60))}
FIRES = {
    "a thousand times too low": Trace.of(
        overfit_loss={**_CURVES, "here x100": list(np.linspace(2.3, 2.1, 60)), "here x1000": _DOWN},
        samples={"train": 1500}, batch_size=64,
    ),
    "a hundred times too low for so few batches": Trace.of(
        overfit_loss={**_CURVES, "here x100": _DOWN}, samples={"train": 1500}, batch_size=64
    ),
    "a hundred times too low for many batches, a hint": Trace.of(
        overfit_loss={**_CURVES, "here x100": _DOWN}, samples={"train": 60_000}, batch_size=64
    ),
    "what the run unlearnt of badly placed outputs is no learning": Trace.of(
        overfit_loss={
            "here x1": list(np.linspace(3.05, 2.95, 60)), "here x0.1": list(np.linspace(3.05, 3.04, 60)),
            "here x10": list(np.linspace(3.05, 1.85, 60)), "here x100": list(np.geomspace(3.05, 0.5, 60)),
        },
        loss=np.linspace(3.05, 2.0, 600), prior_loss=1.89, samples={"train": 3000}, batch_size=50,
    ),
    "watched: weights that stay where they were": Trace.of(
        {**_MATRIX, "loss_shapes": {"output": [64, 10], "target": [64]}},
        loss=np.linspace(2.31, 2.3, 600), update_ratio={"fc.weight": [3e-6] * 20},
    ),
}  # fmt: skip
QUIET = {
    "the planned rate is as good as any": Trace.of(
        overfit_loss={"here x1": _DOWN, "here x0.1": _LEVEL, "here x10": [2.3, 30.0, 2.3]}
    ),
    "ten times as much would be faster": Trace.of(
        overfit_loss={"here x1": list(np.linspace(2.3, 2.2, 60)), "here x0.1": _LEVEL, "here x10": _DOWN}
    ),
    "no rate learns anything": Trace.of(overfit_loss={**_CURVES, "here x100": _LEVEL}),
    "fine-tuning: what is left to learn is little": Trace.of(
        overfit_loss={
            "here x1": [0.3] * 60, "here x0.1": [0.3] * 60, "here x10": [0.29] * 60, "here x100": list(_DOWN)[20:],
        },
        prior_loss=2.3,
    ),
    "watched: small steps, and learning": Trace.of(
        _MATRIX, loss=np.geomspace(2.3, 0.4, 600), update_ratio={"fc.weight": [1e-5] * 20}
    ),
    "watched: a warm-up from nothing": Trace.of(
        _MATRIX, loss=[2.3] * 600, lr={"0": np.linspace(1e-8, 1e-3, 600)}, update_ratio={"fc.weight": [1e-6] * 20}
    ),
}  # fmt: skip


@rule(
    "H02",
    kind="cause",
    needs=["overfit_loss|update_ratio"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs", "abnormal-update-ratio"],
)
def low_learning_rate(
    trace: Trace, *, factor: float = 100, travel: float = 0.02, steps: int = 500
) -> Iterator[Finding]:
    """The learning rate is so low that the planned training cannot get anywhere.

    Why it hurts
        The loss falls, slowly and smoothly, and seems only to need patience; in truth it would need a hundred times
        the epochs, and often stays in the first flat place it meets.

    How it decides
        By experiment, where there was one: one batch is learnt by heart at the planned rate and at multiples of it.
        Far from divergence, steps k times as long do in n steps what the planned ones do in k n. It speaks when a rate
        that goes at least a fifth of the way of the best must be at least `factor` times the planned one, as a warning
        when the planned one would need more than 20 epochs, or more steps than a run of 500 or more took without
        learning, for what the better one did within the experiment. Ten times too low is common and harmless: small
        networks at Adam 1e-4, or at SGD 0.001 with momentum, learn in the end.
        In a run that was only watched: after `steps` steps the weight matrices have moved by less than `travel` of
        their length even if all steps pointed the same way, and the loss is what guessing scores, or has fallen by
        less than a tenth (then a hint). In 200 steps healthy runs went 0.03 to 12, faulty ones 0.0001 to 0.02.

    When it is wrong
        Fine-tuning a network of which only little is to be changed: it is quiet where the loss at the start is below
        half of what the best constant scores, and can only guess otherwise.

    References
        Y. Bengio, "Practical Recommendations for Gradient-Based Training of Deep Architectures", 2012, section 3.1.
    """
    rates = Rates.of(trace)
    if rates.planned is not None and rates.learnable:
        finding = _by_experiment(trace, rates, rates.planned, factor)
    else:
        finding = _by_watching(trace, travel, steps)
    if finding is not None:
        yield finding


def _by_experiment(trace: Trace, rates: Rates, planned: Curve, factor: float) -> Finding | None:
    works = [c for c in rates.curves if c.fallen >= SOME and c.smooth]
    if not works or works[0].factor < factor or not planned.smooth:
        return None
    prior = trace.value("prior_loss")
    if prior is not None and planned.first < 0.5 * prior:
        return None
    best = works[0]
    needed = best.factor * best.steps
    patient = _learns(trace) or needed <= _planned_steps(trace)
    return Finding(
        f"Learning one batch by heart, the loss goes from {planned.first:.4g} to {planned.last:.4g} at the planned "
        f"rate and to {best.last:.3g} at x{best.factor:g}.",
        confidence=(0.4 if patient else 0.85) * (0.6 if _large_targets(trace) else 1.0),
        severity=Severity.INFO if patient else Severity.WARNING,
        evidence={"first": planned.first, "planned": planned.last, f"x{best.factor:g}": best.last, "steps": needed},
        fixes=(Remedy("set-learning-rate", {"factor": best.factor}),),
    )


def _planned_steps(trace: Trace) -> float:
    """Of a run that was watched for long, what it took; before that, as many as EPOCHS hold. Where the number of
    samples is not known, as in a set of a few thousand."""
    if len(trace["loss"]) >= WATCHED:
        return len(trace["loss"])
    samples, size = trace.value("samples", "train"), trace.value("batch_size")
    return EPOCHS * samples / size if samples and size else EPOCHS * 100.0


def _by_watching(trace: Trace, travel: float, steps: int) -> Finding | None:
    loss = trace.taken("loss").finite()
    ratio = _ratio(trace)
    n = len(loss)
    if n < steps or not ratio * n < travel or ratio == 0 or trace.takes_turns or _rate_rose(trace):
        return None
    first, last = loss.head(n // 10).median(), loss.tail(n // 10).median()
    if first - last > 0.1 * abs(first):
        return None
    guessing = any(last > 0.9 * level for level in chance_levels(trace).values())
    return Finding(
        f"In {n} steps the weights moved by {ratio * n:.1g} of their length at most, and the loss from {first:.4g} to "
        f"{last:.4g}.",
        steps=(int(loss.steps[0]), int(loss.steps[-1])),
        confidence=(0.7 if guessing else 0.35) * (0.6 if _large_targets(trace) else 1.0),
        severity=Severity.WARNING if guessing else Severity.INFO,
        evidence={"update_ratio": ratio, "first": first, "last": last},
        fixes=(Remedy("set-learning-rate", {"factor": 10.0 ** round(math.log10(1e-3 / ratio))}),),
    )


def _ratio(trace: Trace) -> float:
    """Median over the weight matrices of the median length of their steps, over their own length."""
    shapes = trace.facts.get("parameters", {})
    each = [s.median() for name, s in trace.each("update_ratio") if len(shapes.get(name, {}).get("shape", [])) > 1]
    known = [r for r in each if math.isfinite(r)]
    return float(np.median(known)) if known else math.nan


def _rate_rose(trace: Trace) -> bool:
    """A warm-up: its first steps say nothing of the rate that was planned."""
    return any(len(s) > 1 and s.finite().values.max(initial=0.0) > 2 * s.first for _, s in trace.each("lr"))


def _learns(trace: Trace) -> bool:
    """The run itself, where it was watched, has lowered its loss by a good part, and below the best constant answer:
    to come down to that from badly placed outputs is no learning."""
    loss: Series = trace["loss"].finite()
    if len(loss) < 100 or not loss.fall() > 0.3 * abs(loss.first):
        return False
    prior = trace.value("prior_loss")
    return prior is None or not prior > 0 or loss.tail(len(loss) // 10).median() < 0.9 * prior


def _large_targets(trace: Trace) -> bool:
    """Targets in units far above 1 are out of reach at any usual rate."""
    size = max(trace["target_std"].median(), abs(trace["target_mean"].median()))
    return size > 10
