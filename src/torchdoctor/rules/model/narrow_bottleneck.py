"""A layer so narrow that the classes can no longer be told apart behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_TEN = {str(k): [100.0] for k in range(10)}


def _layers(widths: list[int], scores: list[float], error: float = 0.02) -> Trace:
    names = ["input", "fc1", "fc2", "fc3", "fc4"][: len(widths)]
    return Trace.of(
        class_count=_TEN,
        layer_width={n: [float(w)] for n, w in zip(names, widths)},
        layer_score={n: [s] for n, s in zip(names, scores)},
        layer_error={n: [error] for n in names},
    )


_EIGHT = {"output": {"shape": [32, 8]}, "targets": {"kind": "classes"}}
FIRES = {
    "two units for ten classes": _layers([64, 128, 2, 128, 10], [0.93, 0.96, 0.41, 0.5, 0.45]),
    "one unit": _layers([64, 1, 32, 10], [0.9, 0.2, 0.25, 0.24]),
    "before training: one unit for eight classes": Trace.of(_EIGHT, funnel_width={"2": 1.0}, prior_loss=2.08),
    "a code of one number": Trace.of(
        {"output": {"shape": [32, 784]}, "targets": {"kind": "continuous"}}, funnel_width={"encoder.2": 1.0},
        prior_loss=0.1, loss=np.linspace(0.1, 0.08, 100),
    ),
    "one unit before two classes, which learns nothing": Trace.of(
        {"output": {"shape": [12, 2]}, "targets": {"kind": "classes"}}, funnel_width={"l": 1.0}, prior_loss=0.693,
        loss=[0.7] * 100,
    ),
    "two units for eight classes, which do not suffice": Trace.of(
        _EIGHT, funnel_width={"2": 2.0}, prior_loss=2.08, loss=np.linspace(2.1, 1.4, 100)
    ),
}  # fmt: skip
QUIET = {
    "wide throughout": _layers([64, 128, 84, 10], [0.93, 0.96, 0.97, 0.96]),
    "narrow, and enough all the same": _layers([64, 128, 6, 10], [0.93, 0.96, 0.95, 0.96]),
    "the score falls, but not for want of width": _layers([64, 128, 84, 10], [0.93, 0.96, 0.5, 0.4]),
    "what was not linear there is so again later": _layers([64, 128, 4, 128, 10], [0.93, 0.96, 0.6, 0.95, 0.95]),
    "one unit that learns all the same": Trace.of(
        _EIGHT, funnel_width={"2": 1.0}, prior_loss=2.08, loss=np.geomspace(2.1, 0.2, 100)
    ),
    "a code of two numbers, as one draws them": Trace.of(
        {"output": {"shape": [32, 784]}, "targets": {"kind": "continuous"}}, funnel_width={"encoder.2": 2.0},
        prior_loss=0.1, loss=np.linspace(0.1, 0.07, 100),
    ),
    "no layer is narrower than its neighbours": Trace.of(_EIGHT, dense_links=2.0),
}  # fmt: skip


@rule(
    "M10",
    kind="cause",
    needs=["layer_score|dense_links|funnel_width"],
    stages=["training", "evaluation"],
    explains=["underfitting", "no-better-than-prior", "stalled-loss", "dead-units", "vanishing-gradients"],
)
def narrow_bottleneck(trace: Trace, *, loss: float = 0.1, learnt: float = 0.5) -> Iterator[Finding]:
    """A layer with fewer features than there are classes loses what the layers before it knew.

    Why it hurts
        Nothing behind it can bring back what it did not let through.

    How it decides
        A linear classifier on the layer's features scores `loss` less than on those of an earlier layer, beyond both
        intervals; no later layer comes back to that level; and the layer gives fewer numbers per sample than there are
        classes. The last layer is not judged, since it gives the answer. `loss` is a first guess.
        In training there is no such classifier. There it is a dense layer narrower than what it reads and than what
        the next one gives, which reads nothing else: of one unit, where the outputs are more than two numbers; of
        fewer units than it takes to tell the classes apart by yes and no (their logarithm to base 2), where the loss
        ended above `learnt` of the best constant answer. Of one unit before two outputs it speaks when nothing was
        learnt (0.95 of it). Quiet when the loss came below `learnt`.

    When it is wrong
        Networks that are meant to press the data through a few numbers, such as autoencoders with a classifier.

    References
        G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016; N. Tishby,
        N. Zaslavsky, "Deep Learning and the Information Bottleneck Principle", 2015.
    """
    if trace.has("layer_score"):
        yield from _of_evaluation(trace, loss)
    else:
        yield from _of_training(trace, learnt)


def _of_training(trace: Trace, learnt: float) -> Iterator[Finding]:
    funnels = [(series.last, name) for name, series in trace.each("funnel_width")]
    columns = math.prod((trace.facts.get("output", {}).get("shape") or [1])[1:])
    if not funnels or columns < 2:
        return
    width, name = min(funnels)
    left = _left(trace)
    classes = trace.facts.get("targets", {}).get("kind") == "classes"
    too_narrow = width == 1 or (classes and width < math.log2(columns) and left is not None)
    unlearnt = left is None or left > (learnt if columns > 2 else 0.95)
    if not too_narrow or not unlearnt or (columns == 2 and left is None):
        return
    ended = "" if left is None else f", and the loss ended at {left:.2g} of what the best constant answer has"
    yield Finding(
        f"{name} lets {width:.0f} number{'s' * (width > 1)} of each sample through, for outputs of {columns}{ended}.",
        where=(name,),
        severity=Severity.WARNING,
        confidence=0.7 if left is None else 0.8,
        evidence={"width": width, "outputs": float(columns)},
    )


def _left(trace: Trace) -> float | None:
    """Of the best constant answer's loss, how much the run ended with; None where none was watched."""
    loss, prior = trace["loss"].finite(), trace.value("prior_loss")
    if prior is None or not prior > 0 or len(loss) < 10:
        return None
    return loss.tail(len(loss) // 4).median() / prior


def _of_evaluation(trace: Trace, loss: float) -> Iterator[Finding]:
    errors = {name: series.last for name, series in trace.each("layer_error")}
    scores = [(n, s.last, errors.get(n, 0.0)) for n, s in trace.each("layer_score") if math.isfinite(s.last)]
    classes = len(list(trace.each("class_count")))
    if len(scores) < 3:
        raise CannotSay(f"needs 3 layers with a score, got {len(scores)}")
    for i, (name, score, error) in enumerate(scores[1:-1], 1):
        before, known, doubt = max(scores[:i], key=lambda layer: layer[1])
        after = max(later[1] + later[2] for later in scores[i:])
        width = trace.value("layer_width", name)
        if width is None or not width < classes or not known - score > loss + error + doubt:
            continue
        if not after < known - doubt:
            continue
        yield Finding(
            f"{name[:50]} gives {width:.0f} numbers for {classes} classes: {known:.1%} could be read off "
            f"{before[:50]}, {score:.1%} after it.",
            where=(name,),
            confidence=0.85,
            evidence={"width": width, "classes": float(classes), "score_before": known, "score": score},
        )
        return
