"""Hidden layers too narrow, or none at all, for what is to be learnt."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.races import Races, starts_badly
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _races(width: int, unseen: float = 1.0, **reached: float) -> Trace:
    """From a loss of 2.3. unseen: how much higher the wider network's loss is on the batches kept back."""
    runs = {name.replace("_", " "): Series.of([2.3, last], steps=[0, 240]) for name, last in reached.items()}
    beside = {n: r.last * (unseen if n.startswith("wider") else 1.0) for n, r in runs.items()}
    return Trace.of(raced_loss=runs, raced_unseen_loss=beside, hidden_width=width)


FIRES = {
    "two units for ten classes": _races(2, as_planned=1.9, rate_x10=1.7, sgd_x1=1.8, wider_x1=0.3),
    "sixteen channels: a hint": _races(16, as_planned=1.9, rate_x10=1.7, sgd_x1=1.8, wider_x1=0.3),
    "no hidden layer": _races(0, as_planned=0.69, rate_x10=0.69, adam=0.69, wider_x1=0.9, wider_x10=0.2),
}
QUIET = {
    "the wider one is no better": _races(2, as_planned=1.9, rate_x10=1.7, wider_x1=1.6),
    "only at learning by heart": _races(2, as_planned=1.9, rate_x10=1.7, wider_x1=0.3, unseen=6.0),
    "another optimizer gets there too": _races(8, as_planned=1.9, rate_x10=1.7, adam=0.3, wider_x1=0.3),
    "it learns": _races(2, as_planned=0.3),
}


@rule(
    "M11",
    kind="cause",
    needs=["raced_loss", "hidden_width"],
    explains=["underfitting", "no-better-than-prior", "stalled-loss", "too-few-epochs", "low-learning-rate",
              "narrow-bottleneck", "dead-units"],
)  # fmt: skip
def insufficient_capacity(trace: Trace, *, better: float = 0.5, way: float = 0.3, few: int = 6) -> Iterator[Finding]:
    """The network cannot fit the training data at any rate, and the same network with wider layers does.

    Why it hurts
        What the hidden layers cannot tell apart no training can; the loss levels off high, on training data too.

    How it decides
        By experiment, where the narrowest hidden layer has 16 units or fewer, or there is none: the same few hundred
        steps with the planned network at three rates and with another optimizer, and with a twin whose narrowest
        layer has 64 units (a hidden layer of 64 where there was none). The twin's loss must end below `better`
        times the best of the others, on batches kept back too, so that learning by heart does not count, and have lost
        `way` of what it began at. Autoencoders, which are narrow on purpose, are left out, and weights that learn
        nothing where freshly drawn ones do. A hint only where the narrowest layer has more than `few` units: wide
        networks learn in fewer steps, and the sixteen channels of a sound residual network had looked too few. First
        guesses.

    When it is wrong
        Wide networks learn in fewer steps; a narrow one may get there in the end.

    References
        C. Zhang et al., "Understanding Deep Learning Requires Rethinking Generalization", 2017: what is wide enough
        fits anything.
    """
    races, width = Races.of(trace), trace.value("hidden_width")
    found = races.best("wider")
    if races.at_best_rate is None or width is None:
        raise CannotSay("no race as planned was run, or its loss began at zero or below")
    others = [r for name, r in races.runs.items() if name.split()[0] not in ("wider", "skips", "larger")]
    if (
        found is None
        or starts_badly(trace)
        or not all(found[1].beats(r, better) for r in others)
        or not found[1].way > way
    ):
        return
    best = min(others, key=lambda r: r.last)
    layers = f"{width:.0f} units in its narrowest hidden layer" if width else "no hidden layer"
    yield Finding(
        f"With {layers} the loss ends at {best.last:.3g} at best in {races.steps} steps, and at {found[1].last:.3g} "
        "with 64.",
        confidence=0.75,
        severity=Severity.WARNING if width <= few else Severity.INFO,
        evidence={"hidden_width": width, "narrow": best.last, "wide": found[1].last},
        fixes=(Remedy("widen-layers", {"factor": max(2, round(64 / width)) if width else 1}),),
    )
