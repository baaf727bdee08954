"""A share of the labels is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

EPOCHS = 5  # scores of both parts; of fewer no course can be told
AHEAD = 0.15  # of validation before training; without dropout 0.11 at most in 400 programs, which of one was noise
LOST = 0.03  # of the best validation score, by the end
FIRES = {
    "the network agrees with validation before it learns its own labels by heart": Trace.of(
        {"targets": {"kind": "classes"}}, val_score=[0.78, 0.82, 0.83, 0.83, 0.82, 0.8, 0.77, 0.75, 0.72, 0.72],
        train_score=[0.41, 0.51, 0.55, 0.57, 0.58, 0.6, 0.65, 0.68, 0.72, 0.77],
    ),
    "two labels in a hundred": Trace.of(
        {"label_suspects": [{"row": 7, "label": 3, "looks_like": 8}]},
        label_suspects=91, sure_suspects=48, suspect_samples=5000, out_of_fold_score=0.93,
    ),
    "one in twelve, anywhere": Trace.of(
        label_suspects=57, sure_suspects=0, suspects_at_ease=0.6, suspect_samples=1000, out_of_fold_score=0.83
    ),
    "by a model that knows too little: a hint": Trace.of(
        label_suspects=44, sure_suspects=0, suspects_at_ease=0.6, suspect_samples=120, out_of_fold_score=0.62
    ),
    "a tenth, among samples that the model cannot compare: a hint": Trace.of(
        label_suspects=63, sure_suspects=0, suspects_at_ease=0.535, suspect_samples=800, out_of_fold_score=0.76,
    ),
    "a few to look at": Trace.of(label_suspects=13, sure_suspects=4, suspect_samples=5000, out_of_fold_score=0.95),
}  # fmt: skip
QUIET = {
    "dropout holds the training score down": Trace.of(
        {"targets": {"kind": "classes"}},
        val_score=[0.78, 0.82, 0.83, 0.83, 0.82, 0.8, 0.77, 0.75, 0.72, 0.72],
        train_score=[0.41, 0.51, 0.55, 0.57, 0.58, 0.6, 0.65, 0.68, 0.72, 0.77],
        dropout_share=0.5,
    ),
    "augmentation does, and validation gets better to the end": Trace.of(
        {"targets": {"kind": "classes"}},
        val_score=[0.5, 0.6, 0.65, 0.7, 0.72, 0.74, 0.75, 0.76],
        train_score=[0.3, 0.4, 0.45, 0.5, 0.52, 0.54, 0.55, 0.56],
    ),
    "none": Trace.of(label_suspects=0, sure_suspects=0, suspect_samples=1258, out_of_fold_score=0.98),
    "the model is never sure": Trace.of(
        label_suspects=0, sure_suspects=0, suspect_samples=20_000, out_of_fold_score=0.4
    ),
}


@rule(
    "D08",
    kind="cause",
    needs=["label_suspects|train_score"],
    stages=["training", "data"],
    explains=["overfitting", "underfitting", "overconfident-model"],
)
def noisy_labels(
    trace: Trace,
    *,
    share: float = 0.005,
    least: int = 5,
    share_anywhere: float = 0.03,
    ease: float = 0.55,
    ease_if_sure: float = 0.52,
    witness: float = 0.7,
) -> Iterator[Finding]:
    """Some labels contradict what the other samples say; the samples are named, the least plausible first.

    Why it hurts
        A network learns wrong labels by heart, and a test set that holds some cannot tell a good model from a better.

    How it decides
        In a run that was watched, of a network without dropout: through the first half of the epochs validation scores
        are above those of training by 0.15 and more, and by the end validation has lost 0.03 of its best while training
        gained. The network knew better than the labels it was taught, and then learnt these by heart. Else by a look at
        some hundreds of samples or more.
        Probabilities of a small model that was not shown the sample (five folds) go to confident learning, which names
        suspects. A warning when the model is sure (another class at 0.95, the label under 0.02) of `share` of the
        samples and of `least` of them; clean data sets give up to 0.003, two wrong labels in a hundred 0.006 to 0.012.
        Or when `share_anywhere` of the samples are suspects and the model is as sure of them as of others (by `ease` at
        least, by `ease_if_sure` where it is sure of `share`): wrong labels fall anywhere, while samples between classes
        that overlap are those that it doubts. With one label in twelve exchanged, suspects were 5 to 8 % of four sets,
        and the model the surer of them in 0.53 to 0.70 of the pairs; in clean ones, two of them with classes that
        overlap, in 0.32 to 0.46, and in one whose samples are pairs, which the small model cannot compare, in 0.54. But
        not by a small model that is itself right about fewer than `witness` of the samples, as of a hundred short
        texts: that is no witness. Else a hint: suspects are worth a look in any data.

    When it is wrong
        Classes that overlap: of suspects among clothes, three in four are right. A rare class that is unlike itself.

    References
        Northcutt, Jiang, Chuang: Confident Learning, JAIR (2021). Northcutt, Athalye, Mueller: Pervasive Label Errors
        in Test Sets, NeurIPS (2021).
    """
    if trace.has("train_score") and (learnt := _learnt_by_heart(trace)) is not None:
        yield learnt
        return
    found, sure = trace.value("label_suspects") or 0.0, trace.value("sure_suspects") or 0.0
    looked = trace.value("suspect_samples") or 0.0
    if not (found > 0 and looked > 0):
        return
    right = trace.value("out_of_fold_score")
    at_ease = (trace.value("suspects_at_ease") or 0.0) >= (ease_if_sure if sure >= share * looked else ease)
    anywhere = at_ease and (right is None or right >= witness)
    alarm = sure >= max(least, share * looked) or (anywhere and found >= max(3 * least, share_anywhere * looked))
    named = trace.facts.get("label_suspects", [])
    rows = trace.facts.get("label_suspect_rows", [])
    yield Finding(
        f"{found:.0f} of {looked:,.0f} training labels look wrong; a model that never saw them is sure of {sure:.0f}.",
        where=tuple(int(s["row"]) for s in named),
        severity=Severity.WARNING if alarm else Severity.INFO,
        confidence=0.8 if alarm else 0.4,
        evidence={"suspects": found, "sure": sure, "share": found / looked},
        fixes=(Remedy("drop-samples", {"rows": tuple(rows)}),) if alarm and rows else (),
    )


def _learnt_by_heart(trace: Trace) -> Finding | None:
    """Arpit et al., A closer look at memorization in deep networks, arXiv:1706.05394: what most samples agree on is
    learnt first, single wrong labels last."""
    kind = (trace.facts.get("targets") or {}).get("kind")
    taught, asked = trace["train_score"].finite().values, trace["val_score"].finite().values
    epochs = min(len(taught), len(asked))
    if kind not in ("classes", "binary") or epochs < EPOCHS or (trace.value("dropout_share") or 0.0) > 0:
        return None
    early = slice(
        2, max(3, epochs // 2 + 1)
    )  # the first epochs' training score is of a network that was still learning
    ahead = float(np.median(asked[early] - taught[early]))
    fell = float(asked.max() - asked[-1])
    if ahead < AHEAD or fell < LOST or taught[-1] <= taught[early].max():
        return None
    return Finding(
        f"Early on the network agreed with {np.median(asked[early]):.0%} of validation's labels and "
        f"{np.median(taught[early]):.0%} of training's; then it learnt these and lost {fell:.0%} of the others.",
        severity=Severity.WARNING,
        confidence=0.8,
        evidence={"ahead": ahead, "val_lost": fell},
        fixes=(Remedy("stop-early"),),
    )
