"""Classes so rare that training hardly meets them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

LATELY = 3  # scores in a row that stand still

FIRES = {
    "one sample in fifty": Trace.of(label_counts=[[980.0, 20.0]], fewest_of_a_class=20),
    "a long tail": Trace.of(label_counts=[[5000.0, 1500.0, 450.0, 130.0, 40.0]], fewest_of_a_class=40),
    "watched: the score stands where the commonest class alone puts it": Trace.of(
        label_counts=[[975.0, 25.0]], samples={"train": 1000.0, "val": 250.0}, val_score=[0.972] * 6
    ),
    "ham and spam": Trace.of(label_counts=[[3400.0, 520.0]], fewest_of_a_class=520),
}
QUIET = {
    "watched: rare, and found": Trace.of(
        label_counts=[[975.0, 25.0]], samples={"train": 1000.0, "val": 250.0}, val_score=[0.972, 0.98, 0.992, 0.996]
    ),
    "watched: stuck, with classes as frequent as each other": Trace.of(
        label_counts=[[500.0, 500.0]], samples={"train": 1000.0, "val": 250.0}, val_score=[0.5] * 6
    ),
    "watched: the pixels of masks": Trace.of(
        label_counts=[[97_500.0, 2500.0]], samples={"train": 100.0, "val": 25.0}, val_score=[0.972] * 6
    ),
    "before training rare is not ignored": Trace.of(label_counts=[[975.0, 25.0]], samples={"train": 1000.0}),
    "alike": Trace.of(label_counts=[[125.0, 127.0, 122.0]], fewest_of_a_class=122),
    "two to one": Trace.of(label_counts=[[106.0, 48.0, 87.0]], fewest_of_a_class=48),
    "a class number that nobody uses": Trace.of(label_counts=[[0.0, 50.0, 48.0]], fewest_of_a_class=48),
}


@rule(
    "D09",
    kind="cause",
    needs=["label_counts"],
    stages=["training", "data"],
    explains=["confused-classes", "no-better-than-prior"],
)
def imbalanced_classes(trace: Trace, *, hint: float = 0.33, rare: float = 0.1) -> Iterator[Finding]:
    """A class has far fewer training samples than an equal share.

    Why it hurts
        Mean loss and accuracy are nearly as good when the class is never predicted, so it may never be.

    How it decides
        The rarest class's samples over an equal share of all: a hint under `hint`, a warning under `rare`. One class in
        a hundred of two, for example, is 0.02. Both are first guesses; classes without any sample do not count.

    When it is wrong
        Rates that are true and a metric that fits them (area under the curve, average precision, costs): then nothing
        needs to be done.

    References
        Buda, Maki, Mazurowski: A systematic study of the class imbalance problem in convolutional networks (2018).
    """
    if not trace.has("fewest_of_a_class"):
        yield from _ignored(trace, rare)
        return
    counts = trace["label_counts"].values
    counts = counts[-1] if counts.ndim == 2 and len(counts) else np.empty(0)
    counts = counts[np.isfinite(counts) & (counts > 0)]
    if len(counts) < 2:
        raise CannotSay("fewer than two classes occur")
    ratio = float(counts.min() / counts.mean())
    if ratio >= hint:
        return
    yield Finding(
        f"The rarest of {len(counts)} classes has {counts.min():,.0f} training samples, the most frequent "
        f"{counts.max():,.0f}.",
        severity=Severity.WARNING if ratio < rare else Severity.INFO,
        confidence=0.75,
        evidence={"rarest": float(counts.min()), "most_frequent": float(counts.max()), "of_equal_share": ratio},
        fixes=(Remedy("balance-classes"), Remedy("draw-classes-equally")),
    )


def _ignored(trace: Trace, rare: float) -> Iterator[Finding]:
    counts, scores, held_out = trace["label_counts"].values, trace["val_score"].finite(), trace.value("samples", "val")
    counts = counts[-1][counts[-1] > 0] if counts.ndim == 2 and len(counts) else np.empty(0)
    if counts.sum() > (trace.value("samples", "train") or math.inf):
        raise CannotSay("the labels are of pixels or letters, of which each sample has many")
    if len(counts) < 2 or len(scores) < LATELY or not held_out:
        raise CannotSay(f"needs counted classes and {LATELY} validation scores")
    ratio, share = float(counts.min() / counts.mean()), float(counts.max() / counts.sum())
    lately = scores.tail(LATELY).values
    doubt = 2 * math.sqrt(share * (1 - share) / held_out)
    if ratio >= rare or np.ptp(lately) > 0 or abs(scores.last - share) > doubt:
        return
    yield Finding(
        f"The validation score stands at {scores.last:.3g}, where always answering the commonest of {len(counts)} "
        f"classes would put it; the rarest has {counts.min():,.0f} of {counts.sum():,.0f} samples.",
        severity=Severity.WARNING,
        confidence=0.75,
        evidence={"rarest": float(counts.min()), "commonest_share": share, "val_score": scores.last},
        fixes=(Remedy("balance-classes"), Remedy("draw-classes-equally")),
    )
