"""Weights that the model does not know it has."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_LIST = [{"name": "hidden[0].weight", "shape": [32, 32]}, {"name": "hidden[0].bias", "shape": [32]}]
FIRES = {
    "layers in a plain list": Trace.of(
        {"unlisted_weights": _LIST}, unlisted_weights=2, unlisted_outside=2, unlisted_redrawn=0
    ),
    "a layer made in forward()": Trace.of(
        {"unlisted_weights": [{"name": "", "shape": [64, 32]}]}, unlisted_weights=1, unlisted_outside=1,
        unlisted_redrawn=1,
    ),
    "the optimizer was given them by hand: a hint": Trace.of(
        {"unlisted_weights": _LIST}, unlisted_weights=2, unlisted_outside=0, unlisted_redrawn=0
    ),
}  # fmt: skip
QUIET = {
    "all are listed": Trace.of({"unlisted_weights": []}, unlisted_weights=0, unlisted_outside=0, unlisted_redrawn=0),
    "a count is all there is": Trace.of(unlisted_weights=0),
}


@rule(
    "M17",
    kind="cause",
    severity=Severity.ERROR,
    needs=["unlisted_weights"],
    explains=[
        "stalled-loss", "no-better-than-prior", "underfitting", "insufficient-capacity", "low-learning-rate",
        "too-few-epochs",
    ],
)  # fmt: skip
def unregistered_parameter(trace: Trace) -> Iterator[Finding]:
    """The output is made by weights that model.parameters() does not list.

    Why it hurts
        No optimizer over model.parameters() moves them, .to(device) leaves them behind, state_dict() does not save
        them, train() and eval() do not reach them. Layers that are made in forward() are other random ones each time.

    How it decides
        The leaves of the graph behind the model's output, less parameters and inputs. Whatever needs a gradient there
        and is found in an attribute of the model is a weight; what is found nowhere counts when another batch under
        the same random numbers makes exactly the same tensor again, so that it is no data. No threshold. When the
        optimizer holds all of them it is a hint: they learn, and are still not saved.

    When it is wrong
        A network inside the model that is kept out of its lists on purpose, needs gradients, and is not to learn.

    References
        The documentation of torch.nn.Parameter and torch.nn.ModuleList.
    """
    count, outside = trace.value("unlisted_weights") or 0.0, trace.value("unlisted_outside") or 0.0
    if not count >= 1:
        return
    told = trace.facts.get("unlisted_weights") or []
    named = tuple(w["name"] for w in told if w.get("name"))
    anew = (trace.value("unlisted_redrawn") or 0.0) >= 1
    yield Finding(
        _message(count, outside, named, anew and not named),
        where=named,
        confidence=0.97 if outside >= 1 else 0.9,
        severity=Severity.ERROR if outside >= 1 else Severity.INFO,
        evidence={"unlisted_weights": count, "unlisted_outside": outside},
        fixes=() if anew and not named else (Remedy("register-parameters"),),
    )


def _message(count: float, outside: float, named: tuple[str, ...], anew: bool) -> str:
    if anew:
        return f"{count:.0f} weights are made anew in every forward pass, so they never learn: make them in __init__()."
    first = f", {named[0]!r} first," if named and len(named[0]) < 50 else ""
    if outside >= 1:
        return f"{count:.0f} weights{first} make the output and are in neither model.parameters() nor the optimizer."
    return f"{count:.0f} weights{first} make the output and are not in model.parameters(): they will not be saved."
