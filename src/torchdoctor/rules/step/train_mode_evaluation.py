"""Validation while the model is in train mode."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_BN = {
    "mode_layers": ["bn"],
    "parameters": {"fc.weight": {"trainable": True}, "bn.weight": {"trainable": True}},
}
FIRES = {
    "every validation": Trace.of(_BN, evaluation_mode=[1.0] * 8),
    "dropout": Trace.of({"mode_layers": ["drop"]}, evaluation_mode=[1.0] * 3),
}
QUIET = {
    "eval mode": Trace.of(_BN, evaluation_mode=[0.0] * 8),
    "no layer cares": Trace.of({"mode_layers": []}, evaluation_mode=[1.0] * 8),
    "once, before training": Trace.of(_BN, evaluation_mode=[1.0] + [0.0] * 8),
}


@rule(
    "S09",
    kind="cause",
    severity=Severity.WARNING,
    needs=["evaluation_mode"],
    explains=["oscillating-loss", "overfitting", "no-better-than-prior", "too-many-epochs"],
)
def train_mode_evaluation(trace: Trace, *, share: float = 0.5) -> Iterator[Finding]:
    """Validation runs in train mode, though the model has layers for which it matters.

    Why it hurts
        Dropout goes on dropping and batch normalisation goes by the validation batch itself: the score is about another
        network than the one that will be used, hangs on how samples are batched, and the running statistics learn from
        validation data.

    How it decides
        When the loop logs a number of validation (val_...), the mode that the layers had in the first forward pass
        without gradients since the last step. It speaks when in at least `share` of the validations, and two of them, a
        layer that acts differently in train and eval was in train mode. Half, so that one look before training or a
        loop that slipped once says nothing.

    When it is wrong
        Dropout kept on purpose, to see how sure the network is (Monte Carlo dropout).

    References
        Y. Gal, Z. Ghahramani, "Dropout as a Bayesian Approximation", 2016, for the exception.
    """
    layers = [str(name) for name in trace.facts.get("mode_layers", [])]
    mode = trace["evaluation_mode"].finite()
    if not layers:
        return
    if len(mode) < 2:
        raise CannotSay(f"needs 2 validations, got {len(mode)}")
    wrong = np.flatnonzero(mode.values != 0)
    if len(wrong) < max(2, share * len(mode)):
        return
    yield Finding(
        f"{len(wrong)} of {len(mode)} validations ran in train mode, in which {len(layers)} of the model's layers act "
        "differently.",
        where=tuple(layers),
        steps=(int(mode.steps[wrong[0]]), int(mode.steps[wrong[-1]])),
        confidence=0.9,
        evidence={"validations": len(mode), "in_train_mode": len(wrong), "mode_layers": len(layers)},
        fixes=(Remedy("use-own-loop"),),
    )
