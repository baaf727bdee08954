"""The loss depends on parameters that get no gradient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _facts(*names: str) -> dict[str, Any]:
    return {"parameters": {n: {"shape": [8, 8], "trainable": True, "in_optimizer": 1} for n in names}}


FIRES = {
    "an encoder behind .detach()": Trace.of(
        _facts("encoder.weight", "head.weight"), has_grad={"encoder.weight": 0, "head.weight": 1},
        reaches_loss={"encoder.weight": 1},
    ),
    "a loss made of .item()": Trace.of(_facts("fc.weight", "fc.bias"), has_grad={"fc.weight": 0, "fc.bias": 0}),
    "an expert that was not asked: a hint": Trace.of(
        _facts("expert.weight", "head.weight"), has_grad={"expert.weight": 0, "head.weight": 1},
        reaches_loss={"expert.weight": 0},
    ),
}  # fmt: skip
QUIET = {
    "all get one": Trace.of(_facts("fc.weight", "fc.bias"), has_grad={"fc.weight": 1, "fc.bias": 1}),
    "asked later in the run": Trace.of(
        _facts("expert.weight", "head.weight"), has_grad={"expert.weight": [0, 1, 0], "head.weight": [1, 1, 1]}
    ),
}


@rule(
    "S06",
    kind="cause",
    severity=Severity.ERROR,
    needs=["has_grad"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "vanishing-gradients", "low-learning-rate"],
)
def detached_graph(trace: Trace) -> Iterator[Finding]:
    """Changing a parameter changes the loss, and yet no gradient comes back to it.

    Why it hurts
        .item(), .detach(), .data, .numpy(), torch.tensor(result) or argmax cut the way back: what lies before the cut
        is never trained, and no error says so.

    How it decides
        An error when no trainable parameter gets a gradient at all. Else, of those that got none from any batch, the
        ones that change the loss when noise of their own size is added, on a fork with the same random numbers:
        something between them and the loss cuts. Those that change nothing are unused (experts, heads for later) and a
        hint, as are those of a watched run, which cannot try.

    When it is wrong
        A part that is meant to be trained by another loss than the one handed over, and is not marked as frozen.

    References
        torch.Tensor.detach and the notes on autograd mechanics.
    """
    trainable = {n for n, p in trace.facts.get("parameters", {}).items() if p["trainable"]}
    series = {n: s for n, s in trace.each("has_grad") if n in trainable and len(s)}
    if not series:
        raise CannotSay("no trainable parameter was recorded")
    silent = [n for n, s in series.items() if not s.values.max() > 0]
    if len(silent) == len(series):
        what = f"None of the {len(silent)} trainable parameters gets a gradient: the loss is cut off from the model."
        yield _finding(what, silent, Severity.ERROR, 0.97, len(series))
        return
    cut = [n for n in silent if trace.value("reaches_loss", n) == 1]
    unused = [n for n in silent if n not in cut]
    if cut:
        what = f"{len(cut)} of {len(series)} parameters change the loss but get no gradient, {cut[0]} first"
        yield _finding(f"{what}: something behind cuts the graph.", cut, Severity.ERROR, 0.95, len(series))
    if unused:
        tried = all(trace.value("reaches_loss", n) == 0 for n in unused)
        why = "the loss does not depend on them" if tried else "unused, or cut off"
        what = f"{len(unused)} of {len(series)} parameters got no gradient ({why}), {unused[0]} first."
        yield _finding(what, unused, Severity.INFO, 0.3, len(series))


def _finding(what: str, names: list[str], severity: Severity, confidence: float, of: int) -> Finding:
    return Finding(
        what,
        where=tuple(names),
        severity=severity,
        confidence=confidence,
        evidence={"without_gradient": len(names), "trainable": of},
        fixes=(Remedy("use-own-loop"),) if len(names) == of else (),
    )
