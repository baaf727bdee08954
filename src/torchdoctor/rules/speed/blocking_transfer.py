"""Batches that hold up the step on their way to the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace


def _gpu(comes: float, pinned: float, step: float, is_pinned: bool = False) -> Trace:
    """Milliseconds."""
    facts = {"device": {"type": "cuda"}, "batches": {"on": "cpu", "pinned": is_pinned}}
    return Trace.of(facts, transfer_time={"as it comes": comes / 1000, "pinned": pinned / 1000}, step_time=step / 1000)


FIRES = {
    "large pictures from pageable memory": _gpu(30.0, 7.0, 25.0),
    "a fifth of the step, a hint": _gpu(6.0, 2.0, 25.0),
}
QUIET = {
    "pinned": _gpu(7.0, 7.0, 25.0, is_pinned=True),
    "small beside the step": _gpu(1.0, 0.3, 25.0),
    "pinning changes nothing": _gpu(8.0, 7.6, 25.0),
    "too short to matter": _gpu(0.2, 0.05, 0.3),
    "on the device already": Trace.of({"device": {"type": "cuda"}, "batches": {"on": "cuda", "pinned": False}}),
}


@rule("P02", kind="cause", needs=[], explains=["idle-device"])
def blocking_transfer(
    trace: Trace, *, share: float = 0.25, hint: float = 0.1, least: float = 1e-3
) -> Iterator[Finding]:
    """The step waits while its batch is copied to the GPU from memory that the GPU cannot read by itself.

    Why it hurts
        From pageable memory a copy goes through a buffer of the driver, the host waits for it, and the GPU stands still
        meanwhile. From pinned memory it is faster, and with `non_blocking=True` runs beside the step before.

    How it decides
        One batch as the loader gives it, copied in turns with the same in pinned memory, beside a step of the model on
        it: what pinning saves is `share` of copy and step together (a warning) or `hint`, and `least` seconds. First
        guesses. Only on a GPU, and where batches come from the CPU and are not pinned yet.

    When it is wrong
        Little memory: what is pinned cannot be swapped out. Waits for single numbers, as `.item()` in every step, are
        not seen here; idle-device has them.

    References
        The PyTorch documentation: torch.utils.data, memory pinning; CUDA semantics, asynchronous execution.
    """
    device, batches = trace.facts.get("device"), trace.facts.get("batches")
    if not isinstance(device, dict) or device.get("type") != "cuda":
        raise CannotSay("not on an accelerator: the model is on no CUDA device")
    if not isinstance(batches, dict):
        raise CannotSay("the way of a batch to the device was not timed, as check does")
    if batches.get("on") != "cpu" or batches.get("pinned"):
        return
    comes, pinned = trace.value("transfer_time", "as it comes"), trace.value("transfer_time", "pinned")
    step = trace.value("step_time")
    if comes is None or pinned is None or step is None or not comes + step > 0:
        raise CannotSay("the way of a batch to the device was not timed, as check does")
    saved = comes - pinned
    if not saved >= max(least, hint * (comes + step)):
        return
    yield Finding(
        f"A batch takes {1000 * comes:.3g} ms to the device and its step {1000 * step:.3g}; from pinned memory it "
        f"takes {1000 * pinned:.3g}.",
        severity=Severity.WARNING if saved >= share * (comes + step) else Severity.INFO,
        confidence=0.85,
        evidence={"transfer": comes, "pinned": pinned, "step": step},
    )
