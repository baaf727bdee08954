"""Evaluation that keeps what only training needs."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _run(graded: int, mode: list[float], steps: int = 300) -> Trace:
    """mode: of the model in training, 1 for train()."""
    return Trace.of({"graded_evaluations": graded, "steps": steps}, training_mode=mode)


FIRES = {
    "two batches of validation in each of ten epochs": _run(20, [1.0] * 30),
    "a large validation set once": _run(40, [1.0] * 30),
}
QUIET = {
    "under no_grad": _run(0, [1.0] * 30),
    "a look at one batch": _run(1, [1.0] * 30),
    "trained in eval mode, two passes a step": _run(300, [0.0] * 30),
}


@rule("I01", kind="cause", needs=["training_mode"], explains=["memory-overrun", "slow-inference"])
def grad_enabled_inference(trace: Trace, *, passes: int = 4) -> Iterator[Finding]:
    """The model is evaluated with gradients on, and nobody asks for them.

    Why it hurts
        Every layer keeps its activations for a backward pass that never comes: an evaluation takes more time and as
        much memory as training, and what is kept from it (a list of losses) keeps all of its graphs.

    How it decides
        Training runs in train mode. Forward passes in eval mode with gradients on, that no backward pass followed, were
        `passes` at least: a single look does no harm.

    When it is wrong
        Gradients with respect to the inputs, taken by torch.autograd.grad, as in an attack.

    References
        torch.no_grad and torch.inference_mode.
    """
    graded, mode = trace.facts.get("graded_evaluations"), trace["training_mode"].finite()
    if not isinstance(graded, int) or not len(mode):
        raise CannotSay("passes in eval mode were not counted")
    if graded < passes or mode.median() < 1:
        return
    yield Finding(
        f"{graded} forward passes in eval mode kept their graphs, and no backward pass followed them.",
        steps=(0, trace.last_step),
        confidence=0.85,
        evidence={"passes": graded, "steps": float(trace.facts.get("steps") or 0)},
        fixes=(Remedy("use-own-loop"),),
    )
