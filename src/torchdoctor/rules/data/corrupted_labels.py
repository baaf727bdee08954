"""Labels that say nothing about the inputs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "shuffled labels": Trace.of(
        relevance_samples={"learnt from": 800, "asked": 370}, baseline_score=0.11, prior_score=0.1, permuted_score=0.15
    ),
    "a target in the wrong order": Trace.of(
        relevance_samples={"learnt from": 5000, "asked": 2000},
        baseline_score=-0.02, prior_score=0.0, permuted_score=0.01,
    ),
}  # fmt: skip
QUIET = {
    "digits": Trace.of(
        relevance_samples={"learnt from": 880, "asked": 378}, baseline_score=0.98, prior_score=0.09, permuted_score=0.16
    ),
    "a weak relation, but one": Trace.of(
        relevance_samples={"learnt from": 5000, "asked": 2000}, baseline_score=0.58, prior_score=0.5,
        permuted_score=0.535,
    ),
    "what only the network sees": Trace.of(
        relevance_samples={"learnt from": 700, "asked": 300}, baseline_score=0.5, prior_score=0.5, permuted_score=0.58,
        prior_loss=0.69, raced_unseen_loss={"as planned": 0.31},
    ),
    "pictures of which nothing is left": Trace.of(
        relevance_samples={"learnt from": 560, "asked": 240}, baseline_score=0.1, prior_score=0.1, permuted_score=0.15,
        constant_feature_share=1.0,
    ),
    "too few to say": Trace.of(
        relevance_samples={"learnt from": 40, "asked": 20}, baseline_score=0.5, prior_score=0.5, permuted_score=0.8
    ),
}  # fmt: skip


@rule(
    "D07",
    kind="cause",
    severity=Severity.WARNING,
    needs=["baseline_score", "permuted_score", "relevance_samples"],
    stages=["training", "data"],
    explains=["no-better-than-prior", "stalled-loss", "overfitting", "underfitting"],
)
def corrupted_labels(trace: Trace, *, asked: int = 200, learnt: float = 0.95) -> Iterator[Finding]:
    """A small model learns no more from the inputs than permuted labels would give it.

    Why it hurts
        There is nothing to learn, and no setting of a network changes that. Usual causes: labels sorted apart from
        their samples, a join on the wrong key, a target of another row.

    How it decides
        A forest or kernel model and its nearest neighbours learn from training samples and predict others. The score
        is no higher than the best of 999 scores against permuted labels, and at least `asked` samples were asked, so
        that a relation worth having would have shown. Nothing is said where the network itself, in the few steps of a
        race or in the run, came to less than `learnt` of the best constant answer's loss on samples it was not shown,
        nor where all features are constant, which is another fault.

    When it is wrong
        What only a deep network sees: the parity of many pixels, a rare detail of a large picture, the order of words.

    References
        Zhang et al., Understanding Deep Learning Requires Rethinking Generalization (2017), on permuted labels.
    """
    score, chance = trace.value("baseline_score"), trace.value("permuted_score")
    tried = trace.value("relevance_samples", "asked") or 0.0
    if score is None or chance is None or not tried >= asked:
        raise CannotSay(f"needs {asked} samples to ask, got {tried:.0f}" if tried < asked else "no score is known")
    if score <= chance and not _generalises(trace, learnt) and trace.value("constant_feature_share") != 1:
        yield Finding(
            f"A small model scores {score:.3f} on {tried:.0f} samples, and {chance:.3f} is reached by permuted labels.",
            confidence=0.8,
            evidence={"score": score, "permuted": chance, "prior": trace.value("prior_score") or 0.0},
        )


def _generalises(trace: Trace, learnt: float) -> bool:
    prior, unseen = trace.value("prior_loss"), trace.value("raced_unseen_loss", "as planned")
    lowest = np.nanmin(np.r_[trace["val_loss"].finite().values, np.nan if unseen is None else unseen, np.inf])
    return prior is not None and prior > 0 and bool(lowest < learnt * prior)
