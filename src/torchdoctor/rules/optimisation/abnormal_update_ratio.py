"""Steps far too small, or far too large, for the weights they change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_FLAT, _FALLING = [2.3] * 60, list(np.linspace(2.3, 0.2, 60))


def _steps(*ratios: float, loss: list[float] = _FLAT) -> Trace:
    return Trace.of(update_ratio={f"fc{i}.weight": [r] * 9 for i, r in enumerate(ratios)}, loss=loss)


FIRES = {
    "a millionth a step": _steps(1e-6, 2e-6, 4e-6),
    "by a third a step": _steps(0.3, 0.4, 0.2),
}
QUIET = {
    "a thousandth": _steps(1e-3, 2e-3, 3e-3),
    "a millionth of a fine-tuned network that learns": _steps(1e-6, 2e-6, 4e-6, loss=_FALLING),
    "large steps that go somewhere": _steps(0.3, 0.4, 0.2, loss=_FALLING),
    "some layers do not move at all": _steps(0.0, 0.0, 2e-3),
}


@rule(
    "O11",
    kind="symptom",
    needs=["update_ratio", "loss"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting"],
)
def abnormal_update_ratio(
    trace: Trace, *, small: float = 3e-5, large: float = 0.1, fallen: float = 0.1, steps: int = 40
) -> Iterator[Finding]:
    """The steps are orders of magnitude smaller, or larger, than the weights can use, and the loss does not fall.

    Why it hurts
        Weights that move by a millionth a step need a million steps to become others; weights that move by a third a
        step are drawn anew every few steps.

    How it decides
        Of each weight matrix the median over the recorded steps of |update| / |weight|; of those that move at all the
        median is below `small` or above `large`, and the loss has come down by less than `fallen`. A thousandth is the
        usual rule of thumb. Recipes that learn had 1e-4 to 0.12 here, and 0.35 under LBFGS; runs that stood still with
        clipped gradients or hundredth rates 1e-5 to 3e-5. `steps` steps at least.

    When it is wrong
        A loss that says nothing of what is learnt, as where another network trains in turns; then nothing is said.

    References
        A. Karpathy, CS231n, "Ratio of weights:updates".
    """
    loss = trace.taken("loss").finite()
    if len(loss) < steps:
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    if trace.takes_turns:
        raise CannotSay("another network trains in turns with this one, so that the loss does not tell what is learnt")
    ratios = _ratios(trace)
    if not ratios:
        raise CannotSay("no weights moved in the recorded steps")
    middle = float(np.median(list(ratios.values())))
    if small <= middle <= large or loss.fallen() >= fallen:
        return
    tiny = middle < small
    yield Finding(
        f"A step changes the weights by {middle:.1g} of themselves; about 0.001 is usual, and the loss does not fall.",
        where=tuple(sorted(ratios, key=lambda n: ratios[n], reverse=not tiny)[:3]),
        steps=(0, trace.last_step),
        confidence=0.8,
        severity=Severity.WARNING,
        evidence={"update_ratio": middle, "fallen": loss.fallen()},
        fixes=(Remedy("set-learning-rate", {"factor": 10.0 if tiny else 0.1}),),
    )


def _ratios(trace: Trace) -> dict[str, float]:
    """Median over the steps of every weight matrix that moved; biases start at zero and have no scale."""
    shapes = {name: p.get("shape", ()) for name, p in trace.facts.get("parameters", {}).items()}
    medians = {n: s.median() for n, s in trace.each("update_ratio") if len(shapes.get(n, (1, 1))) > 1}
    return {name: ratio for name, ratio in medians.items() if ratio > 0}
