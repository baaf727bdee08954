"""Layers with nothing between them, so that several do the work of one."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "two linear layers and nothing else": Trace.of(
        {"linear_links": [["fc1", "fc2"]], "linear_throughout": True}, linear_links=1, dense_links=1
    ),
    "three in a row": Trace.of(
        {"linear_links": [["fc1", "fc2"], ["fc2", "fc3"]], "linear_throughout": True}, linear_links=2, dense_links=2
    ),
    "one activation of several was forgotten: a hint": Trace.of(
        {"linear_links": [["fc1", "fc2"]], "linear_throughout": False}, linear_links=1, dense_links=4
    ),
}
QUIET = {
    "an activation behind every hidden layer": Trace.of({"linear_links": []}, linear_links=0, dense_links=3),
    "one layer is all there is: a linear model": Trace.of({"linear_links": []}, linear_links=0, dense_links=0),
}


@rule(
    "M05",
    kind="cause",
    severity=Severity.WARNING,
    needs=["linear_links"],
    explains=["underfitting", "stalled-loss", "no-better-than-prior", "insufficient-capacity", "narrow-bottleneck"],
)
def missing_hidden_activation(trace: Trace) -> Iterator[Finding]:
    """Between two layers with weights everything is affine, so both together can do no more than one.

    Why it hurts
        A product of matrices is a matrix. However many such layers there are, what comes out is a straight line (a
        plane) of what goes in: XOR, a ring around a blob, and most of what networks are for cannot be expressed.

    How it decides
        A probe puts random numbers in the place of the first layer's output and looks at what the second is fed: it
        must add up for their sums, at sizes of 1 and 10 times the layer's own, and nothing else may read the first.
        Batch normalisation and dropout between the two change nothing about that in eval mode; max pooling, gates and
        layer normalisation do. Pairs whose middle is narrower than both ends are left out: a product of low rank is
        something that one layer cannot be, and is mostly meant. So are grouped and lopsided convolutions. An alarm
        when the whole network is affine in its inputs; a hint when other layers bend.

    When it is wrong
        Deep linear networks that are built to study how gradient descent treats them.

    References
        M. Minsky, S. Papert, Perceptrons, 1969, on what one layer cannot do.
    """
    links = trace.facts.get("linear_links") or []
    if not trace.value("linear_links") or not links:
        return
    whole = bool(trace.facts.get("linear_throughout"))
    first, last = links[0][0], links[-1][1]
    count = len(links) + 1
    yield Finding(
        f"Nothing bends between {first!r} and {last!r}: the network is linear, and its {count} layers can do no more "
        "than one."
        if whole
        else f"Nothing bends between {links[0][0]!r} and {links[0][1]!r}, so these two layers can do no more than one.",
        where=tuple(dict.fromkeys(name for pair in links for name in pair)),
        confidence=0.9 if whole else 0.6,
        severity=Severity.WARNING if whole else Severity.INFO,
        evidence={"linear_links": len(links), "dense_links": trace.value("dense_links") or 0.0},
        fixes=(Remedy("add-hidden-activation"),),
    )
