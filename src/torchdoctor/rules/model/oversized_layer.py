"""One layer that holds most of the parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace


def _net(**shapes: list[int]) -> dict[str, dict[str, dict[str, object]]]:
    return {"parameters": {f"{name}.weight": {"shape": shape, "trainable": True} for name, shape in shapes.items()}}


FIRES = {
    "a dense layer behind convolutions": Trace.of(
        _net(conv1=[32, 3, 3, 3], conv2=[64, 32, 3, 3], fc1=[512, 12544], fc2=[10, 512]),
        weight_norm={"fc1.weight": 1.0},
    ),
    "a filter of 31 x 31": Trace.of(
        _net(conv1=[64, 64, 31, 31], conv2=[64, 64, 3, 3], fc=[10, 64]), weight_norm={"conv1.weight": 1.0}
    ),
}  # fmt: skip
QUIET = {
    "a table of words": Trace.of(
        _net(embedding=[30_000, 128], fc1=[128, 128], fc2=[2, 128]), weight_norm={"fc1.weight": 1.0}
    ),
    "a small network, whatever its shape": Trace.of(
        _net(conv1=[8, 1, 3, 3], fc1=[64, 1152], fc2=[10, 64]), weight_norm={"fc1.weight": 1.0}
    ),
    "an MLP": Trace.of(_net(fc1=[512, 784], fc2=[512, 512], fc3=[10, 512]), weight_norm={"fc1.weight": 1.0}),
    "no shapes": Trace.of(weight_norm={"fc1.weight": 1.0}),
}  # fmt: skip


@rule("M18", kind="cause", severity=Severity.INFO, needs=["weight_norm|has_grad|grad_norm"])
def oversized_layer(trace: Trace, *, most: float = 0.9, least: int = 1_000_000) -> Iterator[Finding]:
    """One layer of a network of convolutions holds nearly all parameters, and could be replaced by far fewer.

    Why it hurts
        Memory, time, and parameters to overfit with, for what a pooling over the picture, or two smaller filters one
        after the other, do about as well.

    How it decides
        A network of at least `least` parameters, two convolutions among them, of which one weight with `most` or more
        of all parameters is either a matrix behind convolutions or a filter of more than 3 x 3. A hint, no alarm: it
        says what is large, not that anything is lost without it. Both numbers are first guesses.

    When it is wrong
        Where the place in the picture matters, which a pooling over all of it forgets.

    References
        M. Lin et al., "Network in network", 2014 (global pooling). K. Simonyan, A. Zisserman, 2015 (two of 3 x 3).
    """
    shapes = _shapes(trace.facts.get("parameters") or {})
    total = sum(math.prod(shape) for shape in shapes.values())
    if total < least or sum(len(shape) > 2 for shape in shapes.values()) < 2:
        return
    name, shape = max(shapes.items(), key=lambda item: math.prod(item[1]))
    share = math.prod(shape) / total
    if share < most or (len(shape) > 2 and max(shape[2:]) <= 3):
        return
    instead = "a pooling over the picture before it" if len(shape) == 2 else "smaller filters one after the other"
    yield Finding(
        f"{name!r} holds {share:.0%} of the {total:,} parameters; {instead} would need far fewer.",
        where=(name,),
        confidence=0.5,
        evidence={"share": share, "parameters": total},
    )


def _shapes(parameters: Mapping[str, Mapping[str, object]]) -> dict[str, list[int]]:
    """Of everything with two dimensions or more."""
    found = {name: p.get("shape") for name, p in parameters.items()}
    return {name: shape for name, shape in found.items() if isinstance(shape, list) and len(shape) > 1}
