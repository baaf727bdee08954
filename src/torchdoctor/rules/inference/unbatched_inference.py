"""Answers asked for one at a time while the questions wait."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _run(passes: int, singles: int, waiting: int, steps: int = 300) -> Trace:
    """Forward passes without gradients in eval mode; of one sample; whose inputs were there together."""
    return Trace.of({"answers": {"passes": passes, "singles": singles, "waiting": waiting}, "steps": steps})


FIRES = {
    "validated row by row in each of ten epochs": _run(3600, 3600, 3590),
    "a test set, one after another, once": _run(450, 450, 449),
    "by hand beside batches: a hint": _run(260, 200, 199),
}
QUIET = {
    "validated in batches": _run(20, 0, 0),
    "the last batch holds one sample": _run(40, 10, 10),
    "a text, letter by letter": _run(2000, 2000, 0),
    "a few samples to look at": _run(60, 30, 29),
}


@rule("I02", kind="cause", needs=[], explains=["slow-inference", "idle-device"])
def unbatched_inference(trace: Trace, *, share: float = 0.5, hint: int = 100) -> Iterator[Finding]:
    """The model answers one sample at a time, though the next ones are there already.

    Why it hurts
        Calling a layer costs about the same for one sample as for a few dozen; on a GPU, nearly all of the time of a
        single answer is spent starting kernels. The answers of a batch are the same.

    How it decides
        The model is trained on batches. Forward passes without gradients in eval mode, of one sample, each of which is
        another piece of the tensor that the one before was cut from, or came from a DataLoader: a hint from `hint` on,
        a warning when there are also more of them than `share` of the training steps. What must wait for its own last
        answer (text letter by letter, a player's moves) reads memory that was written to, and does not count.

    When it is wrong
        Latency of single answers is being measured. Samples of unlike sizes that cannot be padded, as graphs.

    References
        Crankshaw et al.: Clipper, A Low-Latency Online Prediction Serving System (2017), on adaptive batches.
    """
    counted = trace.facts.get("answers")
    if not isinstance(counted, dict):
        raise CannotSay("passes in eval mode were not counted")
    passes, waiting = int(counted.get("passes", 0)), int(counted.get("waiting", 0))
    if waiting < hint:
        return
    steps = int(trace.facts.get("steps") or 0)
    yield Finding(
        f"{waiting:,} of {passes:,} forward passes in eval mode were of a single sample, and the next one was there "
        f"already; training took {steps:,} steps.",
        severity=Severity.WARNING if waiting > share * steps else Severity.INFO,
        steps=(0, trace.last_step),
        confidence=0.8,
        evidence={"waiting": float(waiting), "passes": float(passes), "steps": float(steps)},
    )
