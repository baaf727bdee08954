"""Parameters that should learn and are kept from it by requires_grad."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.freshness import fresh_share
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _held(trainable: bool, *shape: int) -> dict[str, Any]:
    return {"shape": list(shape), "trainable": trainable, "in_optimizer": 1}


FIRES = {
    "the whole model": Trace.of({"parameters": {"fc.weight": _held(False, 10, 64), "fc.bias": _held(False, 10)}}),
    "a layer as it was drawn": Trace.of(
        {"parameters": {"fc1.weight": _held(False, 64, 64), "fc2.weight": _held(True, 10, 64)}},
        weight_structure={"fc1.weight": 0.99},
    ),
    "random features, with which the run does well: a hint": Trace.of(
        {"parameters": {"fc1.weight": _held(False, 64, 64), "fc2.weight": _held(True, 10, 64)}},
        weight_structure={"fc1.weight": 0.99},
        baseline_score=0.92,
        val_score=[0.9, 0.94, 0.96],
    ),
    "a pre-trained backbone: a hint": Trace.of(
        {"parameters": {"fc1.weight": _held(False, 64, 64), "fc2.weight": _held(True, 10, 64)}},
        weight_structure={"fc1.weight": 2.4},
    ),
}
QUIET = {
    "all learn": Trace.of({"parameters": {"fc.weight": _held(True, 10, 64)}}),
    "all learn, though one matrix is in no optimizer": Trace.of(
        {"parameters": {"fc.weight": {**_held(True, 10, 64), "in_optimizer": 0}}}, weight_structure={"fc.weight": 1.0}
    ),
}


@rule(
    "S03",
    kind="cause",
    needs=[],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "low-learning-rate", "vanishing-gradients"],
)
def frozen_parameters(trace: Trace, *, drawn: float = 1.1) -> Iterator[Finding]:
    """Parameters have requires_grad=False though nothing was learnt in them yet.

    Why it hurts
        A frozen layer stays what chance made it; the layers behind it must do with random features.

    How it decides
        An error when all parameters are frozen. Else by what the frozen weights are: the largest singular value of a
        matrix that was drawn at random is that of its own numbers shuffled, times `drawn` at most; training, or a
        formula, makes a few directions stand out (LeNet on digits: 0.99 to 1.10 fresh, up to 1.9 after five epochs). A
        warning when half of the frozen numbers or more lie in fresh matrices; a hint when the weights look trained, as
        a pre-trained backbone does, or when it cannot be told: matrices under 8 x 8, biases, tables, watched runs. A
        hint too when the watched run ends with a better validation score than a small model on the inputs has.

    When it is wrong
        Random features that are meant to stay random: reservoirs, random projections, extreme learning machines.

    References
        Baik, Ben Arous, Peche: Phase transition of the largest eigenvalue (2005), on directions that stand out.
    """
    parameters = trace.facts.get("parameters")
    if not parameters:
        raise CannotSay("needs the parameters of the model, not recorded")
    frozen = [n for n, p in parameters.items() if not p.get("trainable", True)]
    if not frozen:
        return
    if len(frozen) == len(parameters):
        what = f"All {len(frozen)} parameters have requires_grad=False: nothing can learn."
        yield _finding(what, frozen, Severity.ERROR, 0.97, {"frozen": len(frozen)})
        return
    share = fresh_share(trace, frozen, drawn)
    sizes = {n: math.prod(p["shape"]) for n, p in parameters.items()}
    part = sum(sizes[n] for n in frozen) / max(1, sum(sizes.values()))
    evidence = {"frozen": len(frozen), "of_all_numbers": part, "fresh_share": math.nan if share is None else share}
    what = f"{len(frozen)} of {len(parameters)} parameters ({part:.0%} of all numbers) are frozen, {frozen[0]} first"
    if share is not None and share >= 0.5 and _suffices(trace):
        yield _finding(f"{what}; the rest learns the task in spite of them.", frozen, Severity.INFO, 0.3, evidence)
    elif share is not None and share >= 0.5:
        yield _finding(f"{what}, and are as random as when drawn.", frozen, Severity.WARNING, 0.85, evidence)
    else:
        seems = "; they look trained" if share is not None else ""
        yield _finding(f"{what}{seems}.", frozen, Severity.INFO, 0.3, evidence)


def _suffices(trace: Trace) -> bool:
    """In a run that was watched to its end, what is not frozen does better than a small model on the inputs: features
    that were drawn at random and are kept on purpose."""
    score, baseline = trace["val_score"].finite(), trace.value("baseline_score")
    return baseline is not None and len(score) > 0 and score.last > baseline


def _finding(what: str, names: list[str], severity: Severity, confidence: float, evidence: dict[str, float]) -> Finding:
    return Finding(
        what, where=tuple(names), severity=severity, confidence=confidence, evidence=evidence,
        fixes=() if severity is Severity.INFO else (Remedy("unfreeze", {"names": tuple(names)}),),
    )  # fmt: skip
