"""Output and target of shapes that pair every output with every target."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_SHAPES = {"loss_shapes": {"output": [64, 1], "target": [64]}}
FIRES = {
    "probed: gradients hang on the targets of other samples": Trace.of(
        {"output": {"shape": [64, 1]}}, broadcast=1
    ),
    "watched: outputs have shrunk to the targets' mean": Trace.of(
        _SHAPES, loss=[1.1, 1.02, 1.0, 1.0, 1.01], output_std=[0.3, 0.1, 0.02], target_std=[1.0, 1.0, 1.0]
    ),
    "watched: only the shapes are odd, a hint": Trace.of(_SHAPES, loss=[1.1, 0.6, 0.3]),
}  # fmt: skip
QUIET = {
    "probed: a loss that squeezes the output itself": Trace.of(_SHAPES, broadcast=0),
    "class numbers": Trace.of({"loss_shapes": {"output": [64, 10], "target": [64]}}, loss=[2.3, 2.2]),
    "one sample a batch": Trace.of({"loss_shapes": {"output": [1, 1], "target": [1]}}, loss=[2.3, 2.2]),
    "shapes not known": Trace.of(loss=[2.3, 2.2]),
}


@rule(
    "L02",
    kind="cause",
    severity=Severity.ERROR,
    needs=["broadcast|loss"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "low-learning-rate", "mixed-batch"],
)
def broadcast_loss(trace: Trace, *, shrunk: float = 0.2) -> Iterator[Finding]:
    """Output and target have shapes that broadcast, so that every output is compared with every target.

    Why it hurts
        (N, 1) against (N,) gives an N x N table. Its mean is least when all outputs are the mean of the targets, and
        that is what is learnt, without any error.

    How it decides
        The probe moves the target of the last sample and looks whether the gradient at the first output changes. That
        is certain. In a run that was only watched the shapes are known and the loss is not: (N, 1) against (N,) is a
        hint, since a loss may squeeze by itself, and an alarm when moreover the outputs vary less than `shrunk` of
        what the targets do at the end, while the loss has not fallen below 0.9 of the targets' variance (it cannot).

    When it is wrong
        A loss that compares all pairs on purpose, as contrastive and ranking losses do, over shapes that differ.

    References
        The warning that torch.nn.functional.mse_loss prints for such shapes.
    """
    probed = trace.value("broadcast")
    output, target = _shapes(trace)
    if probed == 1:
        yield _finding(output, target, 0.97, Severity.ERROR)
    elif probed is None and _pairs_all(output, target):
        stuck = _stuck(trace, shrunk)
        yield _finding(output, target, 0.8 if stuck else 0.5, Severity.ERROR if stuck else Severity.INFO)


def _finding(output: list[int], target: list[int], confidence: float, severity: Severity) -> Finding:
    shapes = f"Output {tuple(output)} and target {tuple(target)}" if target else f"The output {tuple(output)}"
    verb = "broadcast" if target else "and the target broadcast"
    maybe = "" if severity is Severity.ERROR else " unless the loss reshapes them"
    return Finding(
        f"{shapes} {verb}, so every output is compared with every target of the batch{maybe}.",
        confidence=confidence,
        severity=severity,
        evidence={"output_shape": str(tuple(output)), "target_shape": str(tuple(target))},
        fixes=(Remedy("match-target-shape"),),
    )


def _shapes(trace: Trace) -> tuple[list[int], list[int]]:
    seen = trace.facts.get("loss_shapes") or {}
    probed = trace.facts.get("output") or {}
    wanted = trace.facts.get("targets") or {}
    return list(seen.get("output") or probed.get("shape") or []), list(seen.get("target") or wanted.get("shape") or [])


def _pairs_all(output: list[int], target: list[int]) -> bool:
    """(N, 1) against (N,), or the other way round, with N above 1."""
    short, long = sorted((output, target), key=len)
    return len(short) == 1 and len(long) == 2 and short[0] > 1 and long == [short[0], 1]


def _stuck(trace: Trace, shrunk: float) -> bool:
    spread, wanted, loss = trace["output_std"].last, trace["target_std"].median(), trace["loss"].tail(5).median()
    return math.isfinite(wanted) and spread < shrunk * wanted and loss > 0.9 * wanted**2
