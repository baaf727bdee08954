"""Inputs, or most of one, that no output depends on."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

MIXED = 1e-2  # of the outputs' spread: what rounding does not do

FIRES = {
    "the second of two inputs": Trace.of(
        input_reach={"0": 1.0, "1": 0.0}, input_numbers={"0": 10.0, "1": 5.0}
    ),
    "all steps of a sequence but the first": Trace.of(input_reach={"0": 0.025}, input_numbers={"0": 40.0}),
}  # fmt: skip
QUIET = {
    "all is read": Trace.of(input_reach={"0": 1.0}, input_numbers={"0": 64.0}),
    "strides leave the rim of a picture out": Trace.of(input_reach={"0": 0.806}, input_numbers={"0": 759.0}),
    "two inputs, both read": Trace.of(input_reach={"0": 1.0, "1": 1.0}, input_numbers={"0": 10.0, "1": 1.0}),
    "a single number": Trace.of(input_reach={"0": 0.0}, input_numbers={"0": 1.0}),
}


@rule(
    "M14",
    kind="cause",
    severity=Severity.ERROR,
    needs=["input_reach"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "overfitting", "dead-units", "too-few-epochs"],
)
def ignored_input(trace: Trace, *, least: float = 0.5) -> Iterator[Finding]:
    """Most of an input, or one of several, cannot change any output.

    Why it hurts
        What is not read cannot be learnt from: the output of the first step of a sequence instead of the last, one
        word instead of all, a second input that forward() forgets.

    How it decides
        Of the numbers of an input that differ between samples, those without a gradient at any sample are exchanged
        between the samples; they are unseen when no output changes by a single bit. An alarm when less than `least` of
        them are seen. Strides and pooling leave the rim of a picture out: 0.8 was the least among healthy networks;
        a sequence that is read at one of its ends is below 0.1. A hint where samples mix: a layer that takes the batch
        for time reads one moment of each, and that is mixed-batch.

    When it is wrong
        Inputs that are there for another head, or that are cropped on purpose.

    References
        None; that an output is constant in an input follows from the definition.
    """
    reach = {name: s.last for name, s in trace.each("input_reach") if len(s)}
    for name, share in reach.items():
        numbers = trace.value("input_numbers", name) or 0.0
        if not share < least or (numbers < 2 and len(reach) < 2):
            continue
        which = f"input {name} of {len(reach)}" if len(reach) > 1 else "the input"
        yield Finding(
            f"{1 - share:.0%} of the {numbers:.0f} numbers of {which} that vary cannot change any output."
            if share > 0
            else f"Nothing of {which} ({numbers:.0f} numbers that vary) can change any output.",
            confidence=0.95 if share < 0.1 else 0.75,
            severity=_severity(share, trace),
            evidence={"input": name, "input_reach": share, "input_numbers": numbers},
        )


def _severity(share: float, trace: Trace) -> Severity:
    if (trace.value("mixing") or 0.0) > MIXED:
        return Severity.INFO
    return Severity.ERROR if share < 0.1 else Severity.WARNING
