"""The optimizer holds parameters that the model does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _facts(foreign: int, in_optimizer: int) -> dict[str, Any]:
    return {
        "foreign_parameters": foreign,
        "parameters": {
            "body.weight": {"shape": [64, 64], "trainable": True, "in_optimizer": 1},
            "head.weight": {"shape": [10, 64], "trainable": True, "in_optimizer": in_optimizer},
        },
    }


FIRES = {
    "the head was replaced after the optimizer was made": Trace.of(_facts(2, 0)),
    "all of the model is new": Trace.of(
        {"foreign_parameters": 1,
         "parameters": {"fc.weight": {"shape": [10, 64], "trainable": True, "in_optimizer": 0}}}
    ),
    "weights of the loss, perhaps: a hint": Trace.of(_facts(1, 1)),
}  # fmt: skip
QUIET = {
    "all its own": Trace.of(_facts(0, 1)),
    "a parameter left out is another fault": Trace.of(_facts(0, 0)),
}


@rule(
    "S05",
    kind="cause",
    severity=Severity.ERROR,
    needs=[],
    explains=["missing-parameters", "stalled-loss", "no-better-than-prior", "underfitting", "low-learning-rate"],
)
def stale_optimizer(trace: Trace) -> Iterator[Finding]:
    """The optimizer was made for parameters that are no longer the model's.

    Why it hurts
        A layer that was replaced, or a model that was built or loaded again, after the optimizer was made, is never
        stepped: the optimizer goes on moving weights that nothing uses.

    How it decides
        The optimizer holds parameters that belong neither to the model nor to the loss, while trainable parameters of
        the model are in no group. Foreign parameters alone are a hint: they may belong to another part of the set-up.

    When it is wrong
        Several models that share one optimizer, of which one was handed over, when that one is partly left out on
        purpose.

    References
        torch.optim: construct the optimizer after the model is complete and on its device.
    """
    foreign, parameters = trace.facts.get("foreign_parameters"), trace.facts.get("parameters")
    if foreign is None or not parameters:
        raise CannotSay("needs the parameters of model and optimizer, not recorded")
    if not foreign:
        return
    left_out = [n for n, p in parameters.items() if p["trainable"] and not p["in_optimizer"]]
    lacking = f" and lacks {len(left_out)} of the model's, {left_out[0]} first" if left_out else ""
    yield Finding(
        f"The optimizer holds {foreign} parameters that neither model nor loss has{lacking}.",
        where=tuple(left_out),
        severity=Severity.ERROR if left_out else Severity.INFO,
        confidence=0.96 if left_out else 0.3,
        evidence={"foreign": foreign, "left_out": len(left_out)},
        fixes=(Remedy("optimize-all-parameters"),) if left_out else (),
    )
