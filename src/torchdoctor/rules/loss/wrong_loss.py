"""A loss that does not want what the targets say."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.outputs import Outputs
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

# Of amounts cut into 5 to 20 steps, with noise of none to three times their spread, at most 0.45 of neighbours agreed
# (more with fewer steps only), and where they did not they lay 0.39 to 0.62 of chance apart (0.77 to 0.95 where under
# a quarter agreed); of the numbers of digits and of clothes 0.48 to 0.88 agreed, and the others lay 0.81 to 1.19 apart.
ALIKE, UNORDERED = 0.45, 0.78
_YES_NO = {"targets": {"kind": "binary"}}
_VALUES = {"targets": {"kind": "continuous"}}
_UNIT = {"reachable_min": 0.0, "reachable_max": 1.0}
FIRES = {
    "squared errors of the numbers of classes": Trace.of(
        _VALUES, agreeing_loss=0.0, disagreeing_loss=9.0, whole_targets=10, neighbour_agreement=0.75,
        neighbour_apart=0.93,
    ),
    "a log-likelihood without its minus": Trace.of(
        {"targets": {"kind": "classes"}}, agreeing_loss=-0.05, disagreeing_loss=-3.1
    ),
    "a margin on the wrong side, of scores of both signs": Trace.of(
        _YES_NO, agreeing_loss=4.0, disagreeing_loss=0.0, opposite_fits=1, reachable_min=-math.inf,
        reachable_max=math.inf,
    ),
    "a similarity that is made smaller": Trace.of(_VALUES, agreeing_loss=1.0, disagreeing_loss=0.1),
    "binary cross-entropy of amounts": Trace.of(
        _VALUES, agreeing_loss=-0.4, disagreeing_loss=0.9, loss_is_bottomless=1
    ),
    "a cross-entropy over one output, which is nought whatever it says": Trace.of(
        _VALUES, agreeing_loss=0.0, disagreeing_loss=0.0, loss_is_indifferent=1
    ),
    "the same for yes and no": Trace.of(_YES_NO, loss_is_indifferent=1),
    "absolute errors of probabilities that learn nothing": Trace.of(
        _YES_NO, agreeing_loss=0.05, disagreeing_loss=0.95, loss_is_straight=1, **_UNIT,
        overfit_loss={"here x1": [0.5, 0.499, 0.499], "here x10": [0.5, 0.45, 0.4]},
    ),
    "the same, and it learns: a hint": Trace.of(
        _YES_NO, agreeing_loss=0.05, disagreeing_loss=0.95, loss_is_straight=1, **_UNIT,
        overfit_loss={"here x1": [0.5, 0.1, 0.01]},
    ),
}  # fmt: skip
QUIET = {
    "grades, whose neighbours are near each other": Trace.of(
        _VALUES, agreeing_loss=0.0, disagreeing_loss=4.0, whole_targets=6, neighbour_agreement=0.44,
        neighbour_apart=0.52,
    ),
    "amounts that the inputs do not tell": Trace.of(
        _VALUES, agreeing_loss=0.0, disagreeing_loss=4.0, whole_targets=10, neighbour_agreement=0.12,
        neighbour_apart=1.0,
    ),
    "cross-entropy": Trace.of({"targets": {"kind": "classes"}}, agreeing_loss=0.03, disagreeing_loss=3.0),
    "squared errors of probabilities": Trace.of(
        _YES_NO, agreeing_loss=0.01, disagreeing_loss=0.9, loss_is_straight=0, **_UNIT
    ),
    "absolute errors of amounts": Trace.of(
        _VALUES, agreeing_loss=0.0, disagreeing_loss=1.2, loss_is_straight=1, reachable_min=-math.inf,
        reachable_max=math.inf,
    ),
    "every output against every target, which is another fault": Trace.of(
        _VALUES, agreeing_loss=2.2, disagreeing_loss=2.2
    ),
    "yes is a small distance, no a large one": Trace.of(
        _YES_NO, agreeing_loss=1.0, disagreeing_loss=0.375, opposite_fits=1, reachable_min=0.0, reachable_max=math.inf
    ),
    "a contrastive loss does not care which class is which": Trace.of(
        {"targets": {"kind": "classes"}}, agreeing_loss=0.7, disagreeing_loss=0.69
    ),
}  # fmt: skip


@rule(
    "L01",
    kind="cause",
    severity=Severity.ERROR,
    needs=["agreeing_loss|loss_is_bottomless|loss_is_indifferent"],
    explains=[
        "stalled-loss", "no-better-than-prior", "underfitting", "exploding-gradients", "non-finite-loss",
        "wrong-output-activation", "missing-output-activation", "unscaled-targets", "low-learning-rate",
        "high-learning-rate", "too-few-epochs",
    ],
)  # fmt: skip
def wrong_loss(trace: Trace, *, margin: float = 0.1) -> Iterator[Finding]:
    """The loss does not reward outputs that agree with the targets, or not as a loss for such targets does.

    Why it hurts
        Training makes the loss small, nothing else. Of a similarity, a score or a likelihood without its minus, it
        makes the answers as wrong as they can be. A cross-entropy of yes and no has no lowest value for amounts, and
        the outputs run away. Absolute errors of probabilities give no gradient where the network is surely wrong.

    How it decides
        Outputs made by hand are read as scores, as probabilities and as their logarithms. Turned round: in no reading
        do outputs that say the targets cost less than outputs that say something else, and the gap is more than
        `margin` of their size; not of distances, where yes is near and no is far. Bottomless: the loss falls for ever
        for these targets and not for the same ones held to 0..1. Indifferent: outputs of 0.1, 1 and 10 in size all have
        one loss and no gradient, as in a cross-entropy over a single output. Straight: yes/no targets, outputs within
        0..1, a gradient that is the same at 0.1, 0.5 and 0.9; an alarm when moreover the planned rate does not learn
        one batch down to 0.3 of its loss. Numbers of classes: amounts that are five whole numbers or more, the same for
        most neighbours, and where they are not the same as far apart as those of any two samples.

    When it is wrong
        An adversary, whose aim is to be far from the targets; absolute errors that were chosen against wrong labels.

    References
        Z. Zhang, M. Sabuncu, "Generalized cross entropy loss", 2018, section 3.2, on absolute errors of probabilities.
    """
    agree, other = trace.value("agreeing_loss"), trace.value("disagreeing_loss")
    if trace.value("loss_is_indifferent") == 1:
        yield _indifferent(trace)
    elif trace.value("loss_is_bottomless") == 1 and _kind(trace) == "continuous":
        yield _bottomless()
    elif agree is not None and other is not None and agree - other > margin * max(abs(agree), abs(other)):
        if not _climbs(trace) and not _is_distance(trace):
            yield _turned_round(agree, other)
    elif (
        trace.value("loss_is_straight") == 1 and _kind(trace) in ("binary", "classes") and Outputs.of(trace).within_unit
    ):
        yield _straight(trace)
    elif _kind(trace) == "continuous":
        yield from _numbers_of_classes(trace)


def _climbs(trace: Trace) -> bool:
    """The optimizer makes the loss large: then it is a score, and right."""
    return any(group.get("maximize") for group in trace.facts.get("optimizer", {}).get("groups", []))


def _is_distance(trace: Trace) -> bool:
    """Yes is near and no is far: outputs from zero up without a bound, and answers that are the wrong way round cost
    what a perfect fit does. A loss that really rewards being wrong has a lowest value elsewhere, or none."""
    outputs = Outputs.of(trace)
    return (
        _kind(trace) == "binary" and outputs.low >= 0 and outputs.high == math.inf and trace.value("opposite_fits") == 1
    )


def _turned_round(agree: float, other: float) -> Finding:
    return Finding(
        f"The loss of outputs that say the targets is {agree:.3g}, of outputs that say something else {other:.3g}: it "
        "rewards being wrong.",
        confidence=0.95,
        evidence={"agreeing_loss": agree, "disagreeing_loss": other},
        fixes=(Remedy("negate-loss"),),
    )


def _indifferent(trace: Trace) -> Finding:
    fix = {"continuous": "use-squared-error", "binary": "use-logits-loss"}.get(_kind(trace))
    return Finding(
        "The loss is the same whatever the outputs are, so nothing can be learnt by it (cross-entropy needs one output "
        "for each class).",
        confidence=0.97,
        evidence={"loss_is_indifferent": 1.0},
        fixes=() if fix is None else (Remedy(fix),),
    )


def _bottomless() -> Finding:
    return Finding(
        "For targets outside 0..1 this loss of yes/no answers falls without bound (below -1 and on), so nothing is "
        "ever right.",
        confidence=0.9,
        evidence={"loss_is_bottomless": 1.0},
        fixes=(Remedy("use-squared-error"),),
    )


def _straight(trace: Trace) -> Finding:
    rates = Rates.of(trace)
    stuck = rates.planned is not None and not rates.good
    return Finding(
        "The loss takes absolute errors of probabilities (one slope at 0.1, 0.5 and 0.9), so a network that is surely "
        "wrong hardly learns.",
        confidence=0.7 if stuck else 0.5,
        severity=Severity.WARNING if stuck else Severity.INFO,
        evidence={"loss_is_straight": 1.0},
        fixes=(Remedy("use-logits-loss"),),
    )


def _numbers_of_classes(trace: Trace) -> Iterator[Finding]:
    count, alike = trace.value("whole_targets"), trace.value("neighbour_agreement")
    apart = trace.value("neighbour_apart")
    if count is None or alike is None or apart is None or not (alike >= ALIKE and apart >= UNORDERED):
        return
    yield Finding(
        f"The targets, {count:.0f} whole numbers, seem to be classes taken for amounts: {alike:.0%} are their nearest "
        f"neighbour's, the others {apart:.0%} as far off as chance.",
        confidence=0.8,
        severity=Severity.WARNING,
        evidence={"values": count, "neighbour_agreement": alike, "neighbour_apart": apart},
        fixes=(Remedy("score-each-class"),),
    )


def _kind(trace: Trace) -> str:
    return str((trace.facts.get("targets") or {}).get("kind", ""))
