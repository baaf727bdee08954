"""Training while the model is in eval mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

_BN = {
    "mode_layers": ["bn"],
    "parameters": {"fc.weight": {"trainable": True}, "bn.weight": {"trainable": True}},
}
_FROZEN_BN = {
    "mode_layers": ["bn"],
    "parameters": {"fc.weight": {"trainable": True}, "bn.weight": {"trainable": False}},
}
FIRES = {
    "from the first step": Trace.of(_BN, training_mode=[0.0] * 4),
    "never set back after the first validation": Trace.of(_BN, training_mode=[1.0] * 4 + [0.0] * 12),
    "only a hint: normalisation is frozen on purpose": Trace.of(_FROZEN_BN, training_mode=[0.0] * 4),
}
QUIET = {
    "train mode": Trace.of(_BN, training_mode=[1.0] * 20),
    "no layer cares": Trace.of({"mode_layers": []}, training_mode=[0.0] * 20),
    "an eval forward now and then, for adversarial samples": Trace.of(_BN, training_mode=[1.0, 1.0, 0.0, 1.0] * 5),
}


@rule(
    "S08",
    kind="cause",
    severity=Severity.ERROR,
    needs=["training_mode"],
    explains=["overfitting", "stalled-loss", "no-better-than-prior", "oscillating-loss", "exploding-gradients",
              "non-finite-loss", "badly-scaled-init"],
)  # fmt: skip
def eval_mode_training(trace: Trace, *, share: float = 0.2) -> Iterator[Finding]:
    """The forward passes that lead to the updates run in eval mode, though the model has layers for which it matters.

    Why it hurts
        Dropout does nothing and batch normalisation uses running statistics that are never updated: the network is
        trained without its regularisation, or against a normalisation that does not fit its activations.

    How it decides
        model.training is False in every recorded step, or in the last ones and at least `share` of all (the usual way:
        eval() for the first validation and no train() after it). Two records at least. Only layers that act
        differently count. A model whose only such layers hold frozen parameters gets a hint instead of an alarm, since
        eval mode is then likely meant. 0.2 is a first guess that leaves room for loops which end in eval mode.

    When it is wrong
        Fine-tuning that is meant to keep the pre-trained running statistics while it trains scale and shift.

    References
        S. Ioffe, C. Szegedy, "Batch Normalization", 2015, section 3.1: training needs the batch's own statistics.
    """
    layers = [str(name) for name in trace.facts.get("mode_layers", [])]
    mode = trace["training_mode"]
    if not layers:
        return
    if len(mode) < 2:
        raise CannotSay(f"needs 2 recorded steps, got {len(mode)}")
    in_train = np.flatnonzero(mode.values != 0)
    begin = int(in_train[-1]) + 1 if len(in_train) else 0
    if len(mode) - begin < max(2, share * len(mode)):
        return
    since = int(mode.steps[begin])
    yield Finding(
        f"The model trains in eval mode from step {since} on, in which {len(layers)} of its layers act differently.",
        where=tuple(layers),
        steps=(since, int(mode.steps[-1])),
        confidence=0.97,
        severity=_severity(layers, trace.facts.get("parameters", {})),
        evidence={"training_mode": 0.0, "mode_layers": len(layers)},
        fixes=(Remedy("use-own-loop"),),
    )


def _severity(layers: list[str], parameters: Mapping[str, Any]) -> Severity:
    """Layers with trained parameters: an error. Without any (dropout): a warning. All frozen: likely meant."""
    own = [p for name, p in parameters.items() if name.rpartition(".")[0] in layers]
    if any(p.get("trainable", True) for p in own):
        return Severity.ERROR
    return Severity.INFO if own else Severity.WARNING
