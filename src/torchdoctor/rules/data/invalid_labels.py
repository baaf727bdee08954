"""Labels that the loss cannot take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "classes 1..10 for ten outputs": Trace.of(
        {"refused_labels": {"labels": [10], "message": "IndexError: Target 10 is out of bounds.", "samples": [4, 19],
                            "columns": 10}},
        loss_refuses=1, refused_label_share=0.1,
    ),
    "class numbers as floats in a column": Trace.of(
        {"loss_refusal": {"message": "RuntimeError: expected floating point", "works_with": "target.squeeze(1).long()"},
         "targets": {"shape": [64, 1], "dtype": "float32"}},
        loss_refuses=1,
    ),
    "labels 1 and 2 for a binary loss": Trace.of(
        {"refused_labels": {"labels": [2.0], "message": "the loss falls without bound for it", "samples": [0, 1],
                            "columns": 1}},
        loss_refuses=0, refused_label_share=0.5,
    ),
}  # fmt: skip
QUIET = {
    "all taken": Trace.of(loss_refuses=0, refused_label_share=0.0),
    "an ignored class is taken too": Trace.of({"targets": {"dtype": "int64"}}, loss_refuses=0, refused_label_share=0.0),
    "the loss fails whatever the labels": Trace.of(
        {"loss_refusal": {"message": "RuntimeError: size mismatch", "works_with": ""}}, loss_refuses=1
    ),
}


@rule(
    "D06",
    kind="cause",
    severity=Severity.ERROR,
    needs=["loss_refuses"],
    explains=["non-finite-loss", "stalled-loss", "no-better-than-prior", "exploding-gradients"],
)
def invalid_labels(trace: Trace) -> Iterator[Finding]:
    """Labels outside 0..K-1, or of a type or shape that the loss does not take.

    Why it hurts
        Training stops with an error in the middle of an epoch; on a GPU with one that names no label. Worse where it
        does not stop: binary cross-entropy of a label 2 falls without end.

    How it decides
        The loss itself is asked, on the CPU, for every label that occurs in the data, with the first sample's output. A
        label is refused when the loss raises, or when it drops clearly below zero for that label and not for all
        others. A whole batch that is refused is tried again with the target's type or shape changed: if that
        helps, the labels are at fault and the change is named; if not, the outputs are, and this rule is silent.

    When it is wrong
        A loss of one's own that raises on purpose, for example on a label that must not occur alone.

    References
        torch.nn.CrossEntropyLoss and torch.nn.BCEWithLogitsLoss, on what their targets must be.
    """
    refusal, values = trace.facts.get("loss_refusal", {}), trace.facts.get("refused_labels", {})
    if refusal.get("works_with"):
        yield _wrong_form(refusal, trace.facts.get("targets", {}))
    if (share := trace.value("refused_label_share") or 0.0) > 0 and values:
        yield _wrong_values(values, share)


def _wrong_form(refusal: dict[str, Any], targets: dict[str, Any]) -> Finding:
    given = f"{targets.get('dtype', '?')} of shape {tuple(targets.get('shape', ()))}"
    return Finding(
        f"The loss refuses the targets ({given}) and takes {refusal['works_with']}.",
        confidence=0.95,
        evidence={"loss_says": refusal["message"], "works_with": refusal["works_with"]},
    )


def _wrong_values(values: dict[str, Any], share: float) -> Finding:
    labels = ", ".join(f"{v:g}" for v in values["labels"][:5]) + (" ..." if len(values["labels"]) > 5 else "")
    columns = values["columns"]
    expected = f"; with {columns} outputs they must be 0..{columns - 1}" if columns > 1 else ""
    return Finding(
        f"{share:.1%} of the labels cannot be used by the loss: {labels}{expected}.",
        where=tuple(values["samples"]),
        confidence=0.97,
        evidence={"loss_says": values["message"], "share": share},
        fixes=(Remedy("score-each-class"),) if all(v >= 0 and v == round(v) for v in values["labels"]) else (),
    )
