"""A deep plain network in which the signal dies, however its layers draw their weights."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_NAMES = [f"fc{i}.weight" for i in range(1, 16)]
_DEEP = {"parameters": {name: {"shape": [64, 64], "trainable": True} for name in _NAMES}}
_STUCK = {"here x0.1": [2.3, 2.3, 2.29], "here x1": [2.3, 1.9, 1.64], "here x10": [2.3, 2.2, 2.1]}
_LEARNT = {"here x1": [2.3, 0.5, 0.05]}


def _falling(to: float) -> dict[str, float]:
    """Gradient norms from the last layer's 1 down to `to` in the first."""
    return dict(zip(_NAMES, np.geomspace(to, 1.0, len(_NAMES)).tolist()))


FIRES = {
    "fifteen plain layers with ReLU": Trace.of(
        _DEEP, input_dependence=6.7e-6, param_grad_norm=_falling(3e-5), fresh_param_grad_norm=_falling(2e-5),
        activation_slope={"fc1": 1.0, "fc2": 1.0}, overfit_loss=_STUCK,
    ),
    "twenty with tanh": Trace.of(
        _DEEP, input_dependence=4.5e-5, param_grad_norm=_falling(1.5e-4), fresh_param_grad_norm=_falling(1.2e-4),
        activation_slope={"fc1": 0.9, "fc2": 0.98}, overfit_loss=_STUCK,
    ),
}  # fmt: skip
QUIET = {
    "the same with He's weights": Trace.of(
        _DEEP, input_dependence=0.55, param_grad_norm=_falling(0.8), fresh_param_grad_norm=_falling(2e-5),
        overfit_loss=_LEARNT,
    ),
    "the same with normalisation": Trace.of(
        _DEEP, input_dependence=0.9, param_grad_norm=_falling(0.4), fresh_param_grad_norm=_falling(0.4),
        overfit_loss=_LEARNT,
    ),
    "weights too small, where freshly drawn ones would do": Trace.of(
        _DEEP, input_dependence=1e-6, param_grad_norm=_falling(1e-6), fresh_param_grad_norm=_falling(0.3),
        overfit_loss=_STUCK,
    ),
    "sigmoids squash it": Trace.of(
        _DEEP, input_dependence=4e-6, param_grad_norm=_falling(1e-5), fresh_param_grad_norm=_falling(1e-5),
        activation_slope={"fc1": 0.24, "fc2": 0.25}, overfit_loss=_STUCK,
    ),
    "it learns all the same": Trace.of(
        _DEEP, input_dependence=9e-4, param_grad_norm=_falling(9e-4), fresh_param_grad_norm=_falling(9e-4),
        overfit_loss=_LEARNT,
    ),
}  # fmt: skip


@rule(
    "M09",
    kind="cause",
    needs=["input_dependence", "param_grad_norm", "fresh_param_grad_norm"],
    explains=[
        "vanishing-gradients", "stalled-loss", "no-better-than-prior", "underfitting", "dead-units", "saturated-units",
        "low-learning-rate", "high-learning-rate", "oscillating-loss", "abnormal-update-ratio", "too-few-epochs",
    ],
)  # fmt: skip
def missing_normalization(
    trace: Trace, *, layers: int = 6, heard: float = 2e-3, decay: float = 2e-3, slope: float = 0.5
) -> Iterator[Finding]:
    """The signal dies on its way through plain layers, with freshly drawn weights as with these.

    Why it hurts
        The outputs hardly depend on the inputs, and the first layers get next to no gradient: what is learnt is a
        constant. Normalisation, skip connections, or weights drawn for the activation keep a signal's size.

    How it decides
        At least `layers` weight matrices; outputs that change by less than `heard` of their size when the samples
        exchange their inputs; a gradient in the first third of the layers below `decay` of that in the last, of these
        weights and of a freshly drawn twin, so that it is the architecture and not the weights; activations that pass
        `slope` or more of the gradient (what squashes is said by saturating-activation); and a planned rate that does
        not learn one batch. Plain ReLU networks of 6, 10 and 15 layers of 64 units had 0.13, 3e-3 and 3e-5 of the
        gradient; the least among healthy recipes was 0.017.

    When it is wrong
        Weights of a scheme made for depth, which an untrained twin does not have, and which fail for another reason.

    References
        S. Ioffe, C. Szegedy, 2015 (batch normalisation). K. He et al., 2016 (residual networks).
    """
    heard_now = trace.value("input_dependence")
    own, fresh = (_decay(trace, signal) for signal in ("param_grad_norm", "fresh_param_grad_norm"))
    count = len(_matrices(trace))
    slopes = [s.last for _, s in trace.each("activation_slope") if len(s)]
    if heard_now is None or count < layers or (slopes and float(np.median(slopes)) < slope) or Rates.of(trace).good:
        return
    if 0 < heard_now < heard and own < decay and fresh < decay:
        yield Finding(
            f"Of {count} layers the first get {own:.1g} of the last ones' gradient, and other inputs change the "
            f"outputs by {heard_now:.1g}.",
            where=tuple(_matrices(trace)[: max(1, count // 3)]),
            confidence=0.8,
            evidence={"gradient_ratio": own, "fresh_gradient_ratio": fresh, "input_dependence": heard_now},
            fixes=(Remedy("normalize-layers"), Remedy("reinitialize", {"scheme": "he"}), Remedy("skip-layers")),
        )


def _matrices(trace: Trace) -> list[str]:
    shapes = trace.facts.get("parameters", {})
    return [name for name in shapes if len(shapes[name].get("shape", [])) > 1]


def _decay(trace: Trace, signal: str) -> float:
    """Median gradient norm of the first third of the weight matrices over that of the last third, before training."""
    found = dict(trace.each(signal))
    norms = [found[name].first for name in _matrices(trace) if name in found and len(found[name])]
    third = max(1, len(norms) // 3)
    last = float(np.median(norms[-third:])) if norms else math.nan
    return float(np.median(norms[:third])) / last if last > 0 else math.nan
