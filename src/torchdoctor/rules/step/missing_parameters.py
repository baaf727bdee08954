"""Parameters that get gradients and are in no group of the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.freshness import fresh_share
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _held(times: int, *shape: int) -> dict[str, Any]:
    return {"shape": list(shape), "trainable": True, "in_optimizer": times}


_HEADLESS = {"parameters": {"body.weight": _held(1, 64, 64), "head.weight": _held(0, 10, 64)}}
_BODILESS = {"parameters": {"body.weight": _held(0, 64, 64), "head.weight": _held(1, 10, 64)}}
FIRES = {
    "a head that was added later": Trace.of(_HEADLESS, has_grad={"body.weight": 1, "head.weight": 1}),
    "a body as it was drawn": Trace.of(
        _BODILESS, has_grad={"body.weight": 1, "head.weight": 1}, weight_structure={"body.weight": 1.0}
    ),
    "a pre-trained body, only its head to be trained: a hint": Trace.of(
        _BODILESS, has_grad={"body.weight": 1, "head.weight": 1}, weight_structure={"body.weight": 2.2}
    ),
}
QUIET = {
    "all held": Trace.of(
        {"parameters": {"body.weight": _held(1, 64, 64), "head.weight": _held(1, 10, 64)}},
        has_grad={"body.weight": 1, "head.weight": 1},
    ),
    "one that nothing uses": Trace.of(_HEADLESS, has_grad={"body.weight": 1, "head.weight": 0}),
}


@rule(
    "S04",
    kind="cause",
    severity=Severity.ERROR,
    needs=["has_grad"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "low-learning-rate", "abnormal-update-ratio"],
)
def missing_parameters(trace: Trace, *, drawn: float = 1.1) -> Iterator[Finding]:
    """Trainable parameters get gradients that no optimizer applies.

    Why it hurts
        They stay what they were at the start. Where they are a layer that was added after the optimizer was made, the
        loss still falls a little, which hides it.

    How it decides
        Of the trainable parameters with a gradient, those in no group of the optimizer. An error, unless it looks
        meant: the first layers of the model up to some point, with weights that are trained already, are a hint. A
        matrix counts as trained when its largest singular value is more than `drawn` times that of its own numbers
        shuffled (see frozen-parameters). A hint, too, where the optimizer holds parameters that are not the model's:
        then it is stale-optimizer that says it; and where a watched run saw another optimizer step the model. In a run
        that was only watched the weights cannot be told from fresh ones, so first layers are a hint there too.

    When it is wrong
        Training with several optimizers of which only one was handed over, before anything was watched.

    References
        torch.optim: an optimizer steps the parameters it was given, and no others.
    """
    parameters = trace.facts.get("parameters")
    if not parameters:
        raise CannotSay("needs the parameters of the model, not recorded")
    learning = [n for n, series in trace.each("has_grad") if n in parameters and (series.values > 0).any()]
    missing = [n for n in learning if not parameters[n]["in_optimizer"]]
    if not missing:
        return
    share = fresh_share(trace, missing, drawn)
    first_layers = missing == learning[: len(missing)] and len(missing) < len(learning)
    meant = first_layers and (share is None or share < 0.5) and not _too_small(trace, missing)
    meant = meant or bool(trace.facts.get("foreign_parameters"))  # that is stale-optimizer, told there
    meant = meant or trace.facts.get("other_optimizers", {}).get("steps", 0) > 0  # and not told which weights
    sizes = {n: math.prod(p["shape"]) for n, p in parameters.items()}
    part = sum(sizes[n] for n in missing) / max(1, sum(sizes[n] for n in learning))
    yield Finding(
        f"{len(missing)} of {len(learning)} parameters that get gradients ({part:.0%} of the numbers) are in no "
        f"optimizer, {missing[0]} first.",
        where=tuple(missing),
        severity=Severity.INFO if meant else Severity.ERROR,
        confidence=0.3 if meant else 0.95,
        evidence={"missing": len(missing), "share": part, "fresh_share": math.nan if share is None else share},
        fixes=() if meant else (Remedy("optimize-all-parameters"),),
    )


def _too_small(trace: Trace, missing: list[str]) -> bool:
    """The weights were looked at, and none of them is large enough to hold anything that was pre-trained."""
    looked_at = trace.has("reaches_loss") or trace.has("fresh_param_grad_norm")
    return looked_at and not any(trace.value("weight_structure", n) is not None for n in missing)
