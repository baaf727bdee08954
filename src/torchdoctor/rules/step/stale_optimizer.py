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
    "a new one for every step": Trace.of(_facts(0, 1) | {"other_optimizers": {"made": 900, "steps": 900}}),
    "a new one for every epoch: a hint": Trace.of(_facts(0, 1) | {"other_optimizers": {"made": 10, "steps": 900}}),
    "four steps, and then none": Trace.of(
        _facts(0, 1) | {"steps": 4, "idle_backwards": 76, "other_optimizers": {"made": 0, "steps": 0}}
    ),
    "weights of the loss, perhaps: a hint": Trace.of(_facts(1, 1)),
}  # fmt: skip
QUIET = {
    "all its own": Trace.of(_facts(0, 1)),
    "another optimizer takes over": Trace.of(
        _facts(0, 1) | {"steps": 400, "idle_backwards": 400, "other_optimizers": {"made": 1, "steps": 400}}
    ),
    "two for the same weights, one after the other": Trace.of(
        _facts(0, 1) | {"other_optimizers": {"made": 2, "steps": 900}}
    ),
    "a parameter left out is another fault": Trace.of(_facts(0, 0)),
}


@rule(
    "S05",
    kind="cause",
    severity=Severity.ERROR,
    needs=[],
    explains=["missing-parameters", "stalled-loss", "no-better-than-prior", "underfitting", "low-learning-rate"],
)
def stale_optimizer(trace: Trace, *, often: int = 2, idle: int = 50) -> Iterator[Finding]:
    """The optimizer was made for parameters that are no longer the model's, or is made anew again and again, or stops.

    Why it hurts
        A layer that was replaced, or a model that was built or loaded again, after the optimizer was made, is never
        stepped: the optimizer goes on moving weights that nothing uses. One that is made inside of the loop forgets its
        momentum and its moments in every turn of it; Adam then makes first steps for ever.

    How it decides
        The optimizer holds parameters that belong neither to the model nor to the loss, while trainable parameters of
        the model are in no group. Foreign parameters alone are a hint: they may belong to another part of the set-up.
        Or the weights were stepped by `often` optimizers or more that were not the watched one, a new one for every
        second step at least; a hint where each of them made more steps. Or the watched one made steps, then none in the
        last `idle` backward passes of training mode and more than four times as many as there ever were between two
        steps, and no other one stepped the weights instead.

    When it is wrong
        Several models that share one optimizer, of which one was handed over, when that one is partly left out on
        purpose.

    References
        torch.optim: construct the optimizer after the model is complete and on its device.
    """
    if (steps := _made_anew(trace, often) or _ended(trace, idle)) is not None:
        yield steps
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


def _made_anew(trace: Trace, often: int) -> Finding | None:
    others = trace.facts.get("other_optimizers", {})
    made, steps = others.get("made", 0), others.get("steps", 0)
    each = made >= 0.5 * steps
    if made < (often if each else 2 * often):
        return None
    return Finding(
        f"{made} optimizers made the {steps} steps of these weights that the watched one did not make: each begins "
        "without momentum and moments.",
        severity=Severity.ERROR if each else Severity.INFO,
        confidence=0.9 if each else 0.4,
        evidence={"optimizers": made, "steps": steps},
    )


def _ended(trace: Trace, idle: int) -> Finding | None:
    steps, since = trace.facts.get("steps", 0), trace.facts.get("idle_backwards", 0)
    if not steps or since < idle or trace.facts.get("other_optimizers", {}).get("steps", 1):
        return None
    return Finding(
        f"The optimizer made {steps} steps and none in the {since} backward passes that followed.",
        severity=Severity.ERROR,
        confidence=0.8,
        evidence={"steps": steps, "passes_since": since},
    )
