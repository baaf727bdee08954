"""Augmentation that destroys what the label says."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

LOADER = "the loader"  # the subject of what is asked of a loader as it is

FIRES = {
    "digits upside down": Trace.of(
        label_kept={"flip": 0.32}, label_told={"flip": 0.97}, relabelled_share={"": 0.0, "flip": 0.15}
    ),
    "turned by any angle": Trace.of(
        label_kept={"rotate": 0.79}, label_told={"rotate": 0.79}, relabelled_share={"": 0.02, "rotate": 0.22}
    ),
    "noise that leaves nothing": Trace.of(
        label_kept={"noise": 0.63}, label_told={"noise": 0.35}, relabelled_share={"": 0.02, "noise": 0.01}
    ),
    "a loader that turns digits any way": Trace.of(
        label_kept={LOADER: 0.69}, label_told={LOADER: 0.69}, relabelled_share={"": 0.027, LOADER: 0.041}
    ),
    "clothes facing the other way": Trace.of(
        label_kept={"flip": 0.76}, label_told={"flip": 0.99}, relabelled_share={"": 0.1, "flip": 0.17}
    ),
}
QUIET = {
    "a loader that shifts digits": Trace.of(
        label_kept={LOADER: 0.908}, label_told={LOADER: 0.738}, relabelled_share={"": 0.038, LOADER: 0.123}
    ),
    "shifted a little": Trace.of(
        label_kept={"shift": 0.945}, label_told={"shift": 0.88}, relabelled_share={"": 0.02, "shift": 0.08}
    ),
    "brighter and darker": Trace.of(
        label_kept={"brightness": 1.0}, label_told={"brightness": 1.0}, relabelled_share={"": 0.1, "brightness": 0.1}
    ),
}


@rule(
    "D18",
    kind="cause",
    needs=["label_kept", "label_told", "relabelled_share"],
    stages=["training", "data"],
    explains=["underfitting"],
)
def destructive_augmentation(
    trace: Trace, *, kept: float = 0.85, lost: float = 0.5, relabelled: float = 0.1, mixed: float = 0.75
) -> Iterator[Finding]:
    """A step of the augmentation policy changes what the label should be, or wipes out what it says.

    Why it hurts
        A six upside down is a nine that is called a six: the network is taught both.

    How it decides
        A small model learns from samples that the step changed and answers for plain ones (`label_kept`), and for
        changed ones (`label_told`), both above chance and over what plain samples teach. A warning when either is under
        `lost`; also when the first is under `kept` and the class that suffers most has `relabelled` more of its samples
        turned into ordinary ones of another class. Under `kept` alone a hint. Before training the same is asked of what
        the training loader gives, with validation for plain samples; some of them it leaves nearly as they were, so
        that a warning begins at `mixed`. Measured on digits, MNIST and Fashion-MNIST: flips and half turns of digits
        keep 0.13 to 0.47, shifts by a tenth 0.94 to 0.98, brightness and light noise 0.99. Loaders that turn and mirror
        digits 0.54 to 0.69, that shift digits or mirror clothes 0.88 to 0.93.

    When it is wrong
        Changes that only a deep model sees through: then a small one keeps less than `kept` of a harmless step.

    References
        First guesses for the thresholds, between what was measured on both sides.
    """
    plain = trace.value("relabelled_share", "") or 0.0
    for step, series in trace.each("label_kept"):
        keeps, tells = series.last if len(series) else 1.0, trace.value("label_told", step)
        turned = (trace.value("relabelled_share", step) or 0.0) - plain
        tells = 1.0 if tells is None else tells
        if math.isnan(keeps + tells) or (keeps >= kept and tells >= lost):
            continue
        alarm = min(keeps, tells) < lost or turned >= relabelled or (step == LOADER and keeps < mixed)
        yield Finding(
            f"Of what labels say, augmentation by {step} keeps {max(0.0, keeps):.0%} for plain samples and "
            f"{max(0.0, tells):.0%} for changed ones.",
            severity=Severity.WARNING if alarm else Severity.INFO,
            confidence=0.75 if alarm else 0.4,
            evidence={"kept": keeps, "told": tells, "relabelled": turned + plain, "relabelled_plain": plain},
        )
