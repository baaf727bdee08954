"""Samples of one batch influence each other."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_TORN = {"where": "", "in_loss": False, "from": [12, 32, 50], "to": [32, 12, 50], "samples": True}
FIRES = {
    "softmax over the batch": Trace.of({"mixed_sample": 0}, mixing=0.6),
    "the nodes of one graph: a hint": Trace.of(
        {"mixed_sample": 0}, mixing=0.6, samples={"train": 300}, batch_size=300, split_overlap_share=1.0
    ),
    "an LSTM that takes samples for moments": Trace.of({"mixed_sample": 63}, mixing=0.2),
    "scores that a view tears apart on their way into the loss": Trace.of(
        {"axes_exchanged": [{**_TORN, "in_loss": True}]}, mixing=0.0
    ),
}
QUIET = {
    "kept apart, to the bit": Trace.of({"mixed_sample": 0}, mixing=0.0),
    "kept apart, to the rounding of another kernel": Trace.of({"mixed_sample": 0}, mixing=3e-4),
    "torn apart and put together again": Trace.of({"axes_exchanged": [_TORN]}, mixing=0.0),
}


@rule(
    "M13",
    kind="cause",
    severity=Severity.ERROR,
    needs=["mixing|exchanging_reshapes"],
    explains=[
        "stalled-loss", "no-better-than-prior", "underfitting", "missing-output-activation", "wrong-output-activation",
        "ignored-input", "redundant-output-activation",  # a softmax over the batch is none over the classes
    ],
)  # fmt: skip
def mixed_batch(trace: Trace, *, much: float = 0.01) -> Iterator[Finding]:
    """In eval mode, a sample's output changes when the other samples of its batch do.

    Why it hurts
        A view() where a permute() was meant, a softmax over dimension 0, or a sequence layer that takes the batch for
        time, blends the samples: what is learnt depends on neighbours that are others in every epoch, and a single
        sample in production gets another answer.

    How it decides
        In eval mode (batch normalisation compares samples on purpose in training), the first and the last sample are
        compared with themselves in a batch that holds nothing else. A change of more than `much` of the spread of the
        outputs is a fault; rounding makes 1e-6, half precision 1e-3. Only where every tensor's first axis counts the
        samples, and not for a loss: contrastive ones compare samples by design. In a loss, a view or reshape whose new
        shape is the old one with the samples' axis and another exchanged, in batches of several sizes.

    When it is wrong
        Models of sets or graphs whose batch is one object, given without anything else than its nodes: a hint where
        training is one batch and validation the same one. Batch normalisation that keeps no running statistics, which
        is a mixed batch by choice.

    References
        Karpathy: A Recipe for Training Neural Networks (2019), "use backprop to chart dependencies".
    """
    mixing = trace.value("mixing") or 0.0
    torn = [e for e in trace.facts.get("axes_exchanged") or () if e["samples"]]
    if mixing > much:
        sample = int(trace.facts.get("mixed_sample", 0))
        yield Finding(
            f"In eval mode the output of sample {sample} changes by {mixing:.2g} of the outputs' spread when only the "
            "other samples of its batch change.",
            where=(*(e["where"] for e in torn if e["where"]), sample),
            severity=Severity.INFO if trace.is_one_object else Severity.ERROR,
            confidence=0.5 if trace.is_one_object else 0.95,
            evidence={"mixing": mixing},
        )
        return
    for e in torn:
        if e["in_loss"]:
            yield Finding(
                f"The loss reshapes {tuple(e['from'])} to {tuple(e['to'])}, which mixes samples; permute() exchanges "
                "axes.",
                confidence=0.9,
                evidence={"mixing": mixing},
            )
