"""A network that does not even fit what a simple method fits."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_SURE = {"train": [0.01], "val": [0.02], "test": [0.02]}


def _scored(train: float, linear: float, near: float, **facts: str) -> Trace:
    names = ("logistic regression", "5 nearest neighbours")
    return Trace.of(
        facts, train_score=train, score_error=_SURE, baseline_score=dict(zip(names, ([linear], [near]))),
        baseline_error={name: [0.02] for name in names},
    )  # fmt: skip


FIRES = {
    "a linear model does better on new samples than the network on its own": _scored(0.71, 0.92, 0.9),
    "numbers": _scored(0.1, 0.6, 0.3, measure="R2"),
}
QUIET = {
    "the network is better": _scored(0.99, 0.92, 0.95),
    "as good, within the errors": _scored(0.9, 0.92, 0.9),
    "overfitting is something else": _scored(1.0, 0.92, 0.97),
    "an area cannot be compared with accuracies": _scored(0.7, 0.92, 0.9, measure="area under the ROC curve"),
}


@rule(
    "O13",
    kind="symptom",
    needs=["train_score", "score_error", "baseline_score", "baseline_error"],
    stages=["evaluation"],
)
def underfitting(trace: Trace, *, margin: float = 0.02) -> Iterator[Finding]:
    """On its own training samples the network scores less than a simple method does on samples it has never seen.

    Why it hurts
        What a linear model reads off the data the network has not learnt; the fault is in the network or in its
        training, not in the data.

    How it decides
        The score on the training samples, in eval mode, and its 95 % interval lie below the score of the best baseline
        on the evaluated samples and its interval, by `margin` at least. A baseline's score on new samples is a lower
        bound for what can be fitted.

    When it is wrong
        Labels that were made wrong on purpose in training alone.

    References
        A. Karpathy, "A Recipe for Training Neural Networks", 2019: beat simple baselines first.
    """
    measure = str(trace.facts.get("measure", "accuracy"))
    if measure not in ("accuracy", "R2"):
        raise CannotSay(f"the score is the {measure}, that of the baselines is not")
    train, error = trace.value("train_score"), trace.value("score_error", "train")
    reached = {
        name: series.last - (trace.value("baseline_error", name) or 0.0)
        for name, series in trace.each("baseline_score")
    }
    if train is None or error is None or not reached:
        raise CannotSay("the training samples were not scored")
    best = max(reached, key=lambda name: reached[name])
    if train + error + margin < reached[best]:
        score = trace.value("baseline_score", best) or 0.0
        yield Finding(
            f"The network reaches {measure} {train:.3f} on its training samples; {best[:40]} reaches {score:.3f} on "
            "new ones.",
            confidence=0.9,
            evidence={"train_score": train, "baseline_score": score},
            fixes=(Remedy("use-adam"), Remedy("more-epochs")),
        )
