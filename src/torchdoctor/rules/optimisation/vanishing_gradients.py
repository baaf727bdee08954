"""Gradients that die on their way to the first layers, or before they reach any."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import trend
from torchdoctor.judge.trace import Trace

TINY = 1e-30  # stands for a norm of zero where a logarithm is taken
_FLAT, _FALLING = [0.693] * 60, list(np.linspace(2.3, 0.2, 60))


def _layers(*norms: float) -> dict[str, list[float]]:
    return {f"fc{i + 1}.weight": [norm] * 5 for i, norm in enumerate(norms)}


FIRES = {
    "a thousandth per layer of a sigmoid stack": Trace.of(
        param_grad_norm=_layers(1e-8, 1e-6, 1e-5, 1e-3, 0.1), loss=_FLAT
    ),
    "no gradient at all": Trace.of(
        param_grad_norm=_layers(0, 0, 0), weight_norm=_layers(1, 1, 1), grad_norm=[0.0] * 60, loss=_FLAT
    ),
    "only a hint where the loss falls all the same": Trace.of(
        param_grad_norm=_layers(1e-7, 1e-5, 1e-3, 0.1), loss=_FALLING
    ),
}
QUIET = {
    "level": Trace.of(param_grad_norm=_layers(0.3, 0.1, 0.2, 0.4), loss=_FALLING),
    "one small layer in the middle": Trace.of(param_grad_norm=_layers(0.3, 1e-5, 0.2, 0.4), loss=_FALLING),
    "small everywhere, late in a run": Trace.of(
        param_grad_norm=_layers(1e-6, 2e-6, 2e-6), weight_norm=_layers(9, 9, 9), grad_norm=[1.0] * 30 + [3e-6] * 30,
        loss=list(np.geomspace(2.3, 1e-6, 60)),
    ),
    "the last layer starts at zero": Trace.of(
        param_grad_norm={"a": [0, 0.1, 0.1, 0.1], "b": [0, 0.1, 0.1, 0.1], "c": [1, 0.3, 0.3, 0.2]}, loss=_FALLING
    ),
}  # fmt: skip


@rule(
    "O04",
    kind="symptom",
    needs=["param_grad_norm", "loss"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "abnormal-update-ratio"],
)
def vanishing_gradients(trace: Trace, *, ratio: float = 1e-3, reach: float = 1e-6) -> Iterator[Finding]:
    """The first layers get gradients orders of magnitude below those of the last, or no layer gets any.

    Why it hurts
        Layers whose gradient is nearly zero stay what they were at the start, and the later ones learn from noise.

    How it decides
        Of every weight matrix the median gradient norm over the recorded steps; the first third of the matrices has,
        in geometric mean, less than `ratio` of the last third's, and the norms rise with depth (Kendall's tau at
        least 0.5). A single small layer does not count. Three matrices and three recorded steps at least. Where the
        loss falls by a third all the same, it is a hint: Adam and its kin undo the scale.
        Or: from the first step on, gradient norm times weight norm is below `reach` of the loss in nine steps of ten,
        so that changing the weights by their own size would not change the loss. Both are free of the scale of loss
        and layers. Among healthy networks measured here (plain, residual, recurrent, attention) the first layers had a
        tenth of the last ones' norm or more; where sigmoids or depth took it away, less than 1e-4.

    When it is wrong
        Parameters that are defined in another order than they are used.

    References
        X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    loss = trace["loss"]
    severity = Severity.INFO if loss.fallen() > 1 / 3 else Severity.WARNING
    nowhere = _share_without(trace, reach)
    if nowhere > 0.9:
        yield Finding(
            f"In {nowhere:.0%} of the steps no gradient reaches any layer, while the loss stays at {loss.last:.3g}.",
            steps=(0, trace.last_step),
            confidence=0.9,
            severity=severity,
            evidence={"share_of_steps": nowhere, "grad_norm": trace["grad_norm"].median(), "loss": loss.last},
        )
        return
    norms = _by_layer(trace)
    if len(norms) < 3:
        raise CannotSay(f"needs 3 weight matrices with 3 recorded steps each, got {len(norms)}")
    names, third = list(norms), len(norms) // 3
    logs = np.log(np.maximum(list(norms.values()), TINY))
    arriving = float(np.exp(logs[:third].mean() - logs[-third:].mean()))
    if arriving < ratio and trend(logs) >= 0.5:
        first, last = names[0], names[-1]
        yield Finding(
            f"The gradient of {first} is {norms[first]:.1e}, that of {last} {norms[last]:.1e}: it vanishes on the way.",
            where=tuple(names[:third]),
            steps=(0, trace.last_step),
            confidence=0.85,
            severity=severity,
            evidence={"first_to_last": arriving, "layers": len(names)},
            fixes=(Remedy("replace-activation", {"to": "relu"}), Remedy("normalize-layers"), Remedy("reinitialize")),
        )


def _by_layer(trace: Trace) -> dict[str, float]:
    """Median gradient norm of every weight matrix, in their order; what never had a gradient is left out."""
    shapes = {name: p.get("shape", ()) for name, p in trace.facts.get("parameters", {}).items()}
    matrices = {n: s for n, s in trace.each("param_grad_norm") if len(shapes.get(n, (1, 1))) > 1}
    return {n: s.median() for n, s in matrices.items() if len(s.finite()) >= 3 and s.finite().values.any()}


def _share_without(trace: Trace, reach: float) -> float:
    """Share of the steps in which gradient norm times weight norm is below `reach` of the loss; 0 if it began above."""
    norm, loss = trace.taken("grad_norm").finite(), trace["loss"].finite()
    weights = np.sqrt(sum(s.first**2 for _, s in trace.each("weight_norm") if len(s)))
    if len(norm) < 10 or not len(loss):
        return 0.0
    without = norm.values * weights <= reach * np.abs(loss.at(norm.steps))
    return float(np.mean(without)) if without[:3].all() else 0.0
