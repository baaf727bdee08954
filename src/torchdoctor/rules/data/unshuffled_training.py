"""Training samples that come sorted, or always in the same order."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_CLASSES, _NUMBERS = {"targets": {"kind": "classes"}}, {"targets": {"kind": "continuous"}}
FIRES = {
    "sorted by class": Trace.of(_CLASSES, target_order=0.97, fixed_order=1.0),
    "one file after the other": Trace.of(_CLASSES, target_order=0.6, fixed_order=1.0),
    "only a hint: mixed, and the same each time": Trace.of(_CLASSES, target_order=0.01, fixed_order=1.0),
    "only a hint: numbers in the order of time": Trace.of(_NUMBERS, target_order=0.9, fixed_order=1.0),
}
QUIET = {
    "shuffled": Trace.of(_CLASSES, target_order=0.004, fixed_order=0.0),
    "classes drift a little, and the order changes": Trace.of(_CLASSES, target_order=0.2, fixed_order=0.0),
    "not told": Trace.of(_CLASSES, target_order=float("nan"), fixed_order=float("nan")),
}


@rule(
    "D15",
    kind="cause",
    needs=["target_order|fixed_order"],
    explains=["oscillating-loss", "no-better-than-prior", "stalled-loss", "overfitting", "underfitting",
              "too-many-epochs", "dead-units", "high-learning-rate", "loss-spike", "unsuitable-optimizer"],
)  # fmt: skip
def unshuffled_training(trace: Trace, *, sorted_from: float = 0.5) -> Iterator[Finding]:
    """Training batches come sorted by their target, or in the same order in every epoch.

    Why it hurts
        Steps that see one class only teach the network to answer with it, and the next class undoes that; batch
        normalisation learns the statistics of the last. A fixed order of mixed samples costs little.

    How it decides
        The pass is cut into tenths of whole batches. Of all that the place of a sample could tell about its label
        (mutual information over the smaller entropy; of numbers the variance that lies between tenths) the share that
        it does tell, less what it tells of shuffled labels. Sorted data have 1, shuffled ones 0. A warning from
        `sorted_from`, a first guess; a hint for numbers, which are often in the order of time, and for two passes that
        begin with the same batches. Four batches and fifty samples at least: fewer batches hold a good part of
        everything, and a few samples are in some order anyway.

    When it is wrong
        A curriculum that is meant.

    References
        Y. Bengio, "Practical Recommendations for Gradient-Based Training of Deep Architectures", 2012, section 3.1, on
        the order of examples.
    """
    order, fixed = trace.value("target_order"), trace.value("fixed_order")
    if order is None and fixed is None:
        raise CannotSay("fewer than 4 batches were read")
    labels = trace.facts.get("targets", {}).get("kind") in ("classes", "binary")
    if order is not None and order >= sorted_from:
        yield Finding(
            f"The place in the epoch tells {order:.0%} of what can be told of the targets; shuffled it would be none.",
            confidence=0.9,
            severity=Severity.WARNING if labels else Severity.INFO,
            evidence={"target_order": order},
            fixes=(Remedy("shuffle-training"),),
        )
    elif fixed == 1:
        yield Finding(
            "Two passes over the training data begin with the same batches: they are not shuffled.",
            confidence=0.6,
            severity=Severity.INFO,
            evidence={"fixed_order": 1.0},
            fixes=(Remedy("shuffle-training"),),
        )
