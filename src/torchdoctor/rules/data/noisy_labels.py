"""A share of the labels is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "two labels in a hundred": Trace.of(
        {"label_suspects": [{"row": 7, "label": 3, "looks_like": 8}]},
        label_suspects=91, sure_suspects=48, suspect_samples=5000, out_of_fold_score=0.93,
    ),
    "a few to look at": Trace.of(label_suspects=13, sure_suspects=4, suspect_samples=5000, out_of_fold_score=0.95),
}  # fmt: skip
QUIET = {
    "none": Trace.of(label_suspects=0, sure_suspects=0, suspect_samples=1258, out_of_fold_score=0.98),
    "the model is never sure": Trace.of(
        label_suspects=0, sure_suspects=0, suspect_samples=20_000, out_of_fold_score=0.4
    ),
}


@rule(
    "D08",
    kind="cause",
    needs=["label_suspects", "sure_suspects", "suspect_samples"],
    explains=["overfitting", "underfitting", "overconfident-model"],
)
def noisy_labels(trace: Trace, *, share: float = 0.005, least: int = 5) -> Iterator[Finding]:
    """Some labels contradict what the other samples say; the samples are named, the least plausible first.

    Why it hurts
        A network learns wrong labels by heart, and a test set that holds some cannot tell a good model from a better.

    How it decides
        Probabilities of a small model that was not shown the sample (five folds) go to confident learning, which names
        suspects. A warning when the model is sure (another class at 0.95, the label under 0.02) of `share` of
        the samples and of `least` of them; clean data sets give up to 0.003, two wrong labels in a hundred 0.006 to
        0.012. Else a hint: suspects are worth a look in any data.

    When it is wrong
        Classes that overlap: of suspects among clothes, three in four are right. A rare class that is unlike itself.

    References
        Northcutt, Jiang, Chuang: Confident Learning, JAIR (2021). Northcutt, Athalye, Mueller: Pervasive Label Errors
        in Test Sets, NeurIPS (2021).
    """
    found, sure = trace.value("label_suspects") or 0.0, trace.value("sure_suspects") or 0.0
    looked = trace.value("suspect_samples") or 0.0
    if not (found > 0 and looked > 0):
        return
    alarm = sure >= least and sure >= share * looked
    named = trace.facts.get("label_suspects", [])
    yield Finding(
        f"{found:.0f} of {looked:,.0f} training labels look wrong; a model that never saw them is sure of {sure:.0f}.",
        where=tuple(int(s["row"]) for s in named),
        severity=Severity.WARNING if alarm else Severity.INFO,
        confidence=0.8 if alarm else 0.4,
        evidence={"suspects": found, "sure": sure, "share": found / looked},
    )
