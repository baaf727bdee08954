"""A layer so narrow that the classes can no longer be told apart behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding
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


FIRES = {
    "two units for ten classes": _layers([64, 128, 2, 128, 10], [0.93, 0.96, 0.41, 0.5, 0.45]),
    "one unit": _layers([64, 1, 32, 10], [0.9, 0.2, 0.25, 0.24]),
}
QUIET = {
    "wide throughout": _layers([64, 128, 84, 10], [0.93, 0.96, 0.97, 0.96]),
    "narrow, and enough all the same": _layers([64, 128, 6, 10], [0.93, 0.96, 0.95, 0.96]),
    "the score falls, but not for want of width": _layers([64, 128, 84, 10], [0.93, 0.96, 0.5, 0.4]),
    "what was not linear there is so again later": _layers([64, 128, 4, 128, 10], [0.93, 0.96, 0.6, 0.95, 0.95]),
}


@rule(
    "M10", kind="cause", needs=["layer_score", "layer_error", "layer_width", "class_count"], explains=["underfitting"]
)
def narrow_bottleneck(trace: Trace, *, loss: float = 0.1) -> Iterator[Finding]:
    """A layer with fewer features than there are classes loses what the layers before it knew.

    Why it hurts
        Nothing behind it can bring back what it did not let through.

    How it decides
        A linear classifier on the layer's features scores `loss` less than on those of an earlier layer, beyond both
        intervals; no later layer comes back to that level; and the layer gives fewer numbers per sample than there are
        classes. The last layer is not judged, since it gives the answer. `loss` is a first guess.

    When it is wrong
        Networks that are meant to press the data through a few numbers, such as autoencoders with a classifier.

    References
        G. Alain, Y. Bengio, "Understanding intermediate layers using linear classifier probes", 2016; N. Tishby,
        N. Zaslavsky, "Deep Learning and the Information Bottleneck Principle", 2015.
    """
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
