"""A GPU that could compute faster with fewer digits, or with another order of the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

AS_IS = "as it is"


def _gpu(times: dict[str, float], change: dict[str, float] | None = None, major: int = 8, **more: Any) -> Trace:
    """times: milliseconds of a pass."""
    facts = {"device": {"type": "cuda", "name": "a GPU", "capability": [major, 0]}}
    seconds = {name: ms / 1000 for name, ms in times.items()}
    return Trace.of(facts, precision_time=seconds, precision_change=change or {}, **more)


FIRES = {
    "bfloat16 takes half of the time": _gpu({AS_IS: 80.0, "tf32": 55.0, "bf16": 38.0}, {"tf32": 2e-4, "bf16": 3e-3}),
    "TF32 is off": _gpu({AS_IS: 80.0, "tf32": 30.0, "bf16": 33.0}, {"tf32": 2e-4, "bf16": 3e-3}),
    "a little faster, a hint": _gpu({AS_IS: 80.0, "channels last": 62.0}, {"channels last": 1e-6}),
}
QUIET = {
    "no faster": _gpu({AS_IS: 40.0, "tf32": 40.5, "bf16": 43.0}, {"bf16": 2e-3}),
    "a small network waits for its kernels to start": _gpu({AS_IS: 0.7, "tf32": 0.5, "bf16": 0.4}, {"bf16": 2e-3}),
    "faster, and another answer": _gpu({AS_IS: 80.0, "bf16": 40.0}, {"bf16": 0.4}),
    "it computes in 16 bits already": _gpu({}, reduced_precision=1.0),
}


@rule("P06", kind="cause", severity=Severity.INFO, needs=[])
def unused_precision(
    trace: Trace, *, hint: float = 1.2, gain: float = 1.5, least: float = 2e-3, change: float = 0.02
) -> Iterator[Finding]:
    """The GPU would compute the same in less time with TF32, bfloat16 or channels last.

    Why it hurts
        Since 2020 GPUs have units that multiply 16-bit numbers, or 32-bit ones with fewer digits, several times as
        fast. Weights and sums stay in float32.

    How it decides
        A forward and backward pass of one batch, timed in turns as it is and with one thing changed: faster by the
        factor `hint` a hint, by `gain` a warning; the loss of the batch may move by the share `change` at most, and a
        pass takes `least` seconds at least, since shorter ones wait for the host. First guesses. Only on a GPU, and of
        it only where bfloat16 is built in (compute capability 8). That training comes to the same end is for a race to
        show.

    When it is wrong
        Losses and layers that need all digits, as physics and second derivatives do: then the race says so.

    References
        Micikevicius et al.: Mixed Precision Training (2018). Kalamkar et al.: A Study of BFLOAT16 for Deep Learning
        Training (2019).
    """
    device = trace.facts.get("device")
    if not isinstance(device, dict) or device.get("type") != "cuda":
        raise CannotSay("not on an accelerator: the model is on no CUDA device")
    if trace.value("reduced_precision") == 1:
        return
    times = {name: s.last for name, s in trace.each("precision_time") if len(s) and s.last > 0}
    now = times.get(AS_IS)
    if now is None:
        raise CannotSay("a pass was not timed with other precisions, as check does")
    capable = int((device.get("capability") or [0])[0]) >= 8
    moved = {name: trace.value("precision_change", name) for name in times}
    others = {
        name: now / seconds
        for name, seconds in times.items()
        if name != AS_IS and (capable or name == "channels last") and (moved[name] or 0.0) <= change
    }
    if not others or not now >= least:
        return
    best = max(others, key=lambda name: others[name])
    faster = others[best]
    if not faster >= hint:
        return
    yield Finding(
        f"A pass takes {1000 * now:.3g} ms, and with {best} {1000 * now / faster:.3g}: {faster:.2g} times as fast, the "
        f"loss moves by {moved[best] or 0.0:.1g}.",
        severity=Severity.WARNING if faster >= gain else Severity.INFO,
        confidence=0.8,
        evidence={"seconds": now, "faster": faster, "with": best},
        fixes=(Remedy("use-bfloat16"),) if best == "bf16" else (),
    )
