"""A model that is surer than it is right."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "ten points too sure": Trace.of(
        calibration_error=0.12, calibration_noise=0.02, confidence_gap=0.12, temperature=2.4
    ),
    "a hint, as most deep networks": Trace.of(calibration_error=0.045, calibration_noise=0.01, confidence_gap=0.045),
}
QUIET = {
    "within what chance shows": Trace.of(calibration_error=0.05, calibration_noise=0.06, confidence_gap=0.04),
    "not sure enough": Trace.of(calibration_error=0.12, calibration_noise=0.02, confidence_gap=-0.12),
    "calibrated": Trace.of(calibration_error=0.008, calibration_noise=0.01, confidence_gap=0.005, temperature=1.03),
}


@rule("O14", kind="symptom", needs=["calibration_error", "calibration_noise", "confidence_gap"], stages=["evaluation"])
def overconfident_model(trace: Trace, *, gap: float = 0.02, severe: float = 0.1) -> Iterator[Finding]:
    """The probabilities the model gives are higher than the share of its answers that is right.

    Why it hurts
        A threshold on the probability lets wrong answers through, and nobody learns which answers to doubt.

    How it decides
        The expected calibration error lies above what a perfectly calibrated model shows in 95 % of samples of this
        size, and the mean confidence lies more than `gap` above the accuracy. A hint; an alarm from a gap of `severe`
        on. Deep networks that were trained to the end commonly lie 0.02 to 0.06 too high, which temperature scaling
        mends; both limits are first guesses.

    When it is wrong
        Evaluation data that are harder than those the model is made for.

    References
        C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    error, noise, distance = (trace.value(f"{s}") for s in ("calibration_error", "calibration_noise", "confidence_gap"))
    if error is None or noise is None or distance is None:
        raise CannotSay("the calibration of the whole evaluation is not recorded")
    if not (error > noise and distance > gap):
        return
    heat = trace.value("temperature")
    mend = f"; temperature {heat:.2f} mends it" if heat is not None and heat > 1 else ""
    yield Finding(
        f"On average the model is {distance:.1%} surer than it is right (calibration error {error:.3f}{mend}).",
        confidence=0.9,
        severity=Severity.WARNING if distance >= severe else Severity.INFO,
        evidence={"calibration_error": error, "calibration_noise": noise, "confidence_gap": distance},
    )
