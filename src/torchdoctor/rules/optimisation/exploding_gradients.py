"""Gradients that leave their early level by orders of magnitude, or start beyond all measure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_NAN = float("nan")
_STEPS = np.arange(200)
_NOISE = np.random.default_rng(0).lognormal(0, 0.5, 200)
FIRES = {
    "doubles every step from step 100, the loss follows": Trace.of(
        grad_norm=[1.0] * 100 + [2.0**k for k in range(30)], loss=[1.0] * 100 + [1.1**k for k in range(30)]
    ),
    "NaN after four steps": Trace.of(grad_norm=[5.0, 80.0, 4e3, 1e7, _NAN], loss=[2.0, 7.0, 90.0, 1e4, _NAN]),
    "two huge steps, and the loss never comes back": Trace.of(
        grad_norm=[0.5, 2e3, 400.0] + [0.2] * 97, loss=[2.31, 8e3, 800.0] + [2.4] * 97
    ),
    "NaN after one step from far too steep a place": Trace.of(
        grad_norm=[6e8, _NAN, _NAN], loss=[6e5, _NAN, _NAN], weight_norm={"rnn.weight": [12.0]}
    ),
}
QUIET = {
    "level": Trace.of(grad_norm=_NOISE, loss=2 - _STEPS / 200),
    "one lone spike": Trace.of(grad_norm=[1.0] * 60 + [1e4] + [1.0] * 69, loss=[2.0] * 60 + [9.0] + [2.0] * 69),
    "grows while the network learns": Trace.of(grad_norm=_NOISE * np.exp(_STEPS / 35), loss=2.3 * np.exp(-_STEPS / 50)),
    "late unrest far below the start": Trace.of(
        grad_norm=[1.0] * 50 + [1e-4] * 100 + [50.0] * 50, loss=[1.0] * 50 + [1e-6] * 100 + [1e-2] * 50
    ),
    "a GradScaler tries its scale": Trace.of(
        grad_norm=[np.inf, np.inf] + [1.0] * 50, loss=[2.0] * 52, skipped_step=[1, 1] + [0] * 50
    ),
    "steep where a trained network is trained on": Trace.of(
        grad_norm=_NOISE, loss=1e-6 * _NOISE, weight_norm={"fc.weight": [30.0]}
    ),
}


@rule(
    "O03",
    kind="symptom",
    severity=Severity.ERROR,
    needs=["grad_norm", "loss"],
    explains=["non-finite-loss", "non-finite-gradient", "loss-spike", "oscillating-loss", "stalled-loss", "dead-units",
              "saturated-units", "no-better-than-prior"],
)  # fmt: skip
def exploding_gradients(trace: Trace, *, factor: float = 100.0, hold: int = 5, steep: float = 1e3) -> Iterator[Finding]:
    """The gradient norm leaves its early level by orders of magnitude, and the loss rises with it.

    Why it hurts
        One step along such a gradient throws the weights far from anything learnt; soon after, the loss is NaN.

    How it decides
        The baseline is the norm of the first step or the median of the first tenth of the run (50 steps at most),
        whichever is lower. The norm goes above `factor` times that while the loss lies above its own early level, and
        stays there for `hold` steps, or until the run ends in NaN, or for two steps from which the loss never comes
        back. So a lone spike, large norms of a network that learns, and unrest far below the start do not count.
        Or: in the first steps gradient norm times weight norm over loss, which no unit changes, is above `steep`, and
        the loss ends in NaN or infinity. Norms are those before clipping; steps a GradScaler skipped are left
        out. Among healthy runs measured here the first number reached 23 and the second 62; runs that blew up had
        more than 180 and 10,000.

    When it is wrong
        A loss whose weight is raised during the run (curricula, annealed penalties).

    References
        R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013.
    """
    norm, loss = trace.taken("grad_norm"), trace["loss"]
    if len(norm) < 2 or len(loss) < 2:
        raise CannotSay(f"needs 2 steps, got {min(len(norm), len(loss))}")
    base, level = _early(norm), _early(loss)
    if np.isnan(level) or not 0 < base < np.inf:
        return
    level += 2 * np.nan_to_num(loss.head(50).noise()) if len(loss) > 50 else 0.0
    beyond = ~(norm.values <= factor * base) & ~(loss.at(norm.steps) <= level)  # NaN counts as beyond
    peak = float(np.max(norm.finite().values))
    start = _begin(norm, beyond, loss, level, hold) if peak > factor * base else None
    if start is not None:
        said = f"The gradient norm grew from {base:.3g} to {peak:.3g}, and from step {start} on the loss went with it."
    elif (ratio := _steepness(trace, base)) > steep and not np.isfinite(loss.last):
        start = int(norm.steps[0])
        said = f"The gradient norm starts at {base:.3g}: times the weights' norm that is {ratio:.2g} times the loss."
    else:
        return
    yield Finding(
        said,
        steps=(start, int(norm.steps[-1])),
        confidence=0.9,
        evidence={"early_norm": base, "peak_norm": peak, "early_loss": level, "last_loss": loss.last},
        fixes=(
            Remedy("clip-gradients", {"max_norm": float(f"{base:.2g}")}),
            Remedy("set-learning-rate", {"factor": 0.1}),
        ),
    )


def _early(series: Series) -> float:
    """The first value, or the median of the first tenth where that is lower: an explosion may begin at once."""
    return float(np.fmin(series.first, series.head(min(50, max(1, len(series) // 10))).median()))


def _begin(norm: Series, beyond: NDArray[np.bool_], loss: Series, level: float, hold: int) -> int | None:
    """The step from which the norm is out of bounds to stay, or long enough to have done harm; None if it is not."""
    if (long := norm.onset(beyond, hold)) is not None:
        return long
    inside = np.flatnonzero(~beyond)
    if not np.isfinite(norm.last) and beyond[-1]:
        return int(norm.steps[inside[-1] + 1 if len(inside) else 0])
    short = norm.onset(beyond, 2)
    if short is None or loss.between(short, int(loss.steps[-1])).median() <= level:
        return None
    return short


def _steepness(trace: Trace, norm: float) -> float:
    """Gradient norm times weight norm over loss at the start: by how much of itself the loss would change, to first
    order, if the weights changed by their own size."""
    weights = float(np.sqrt(sum(s.first**2 for _, s in trace.each("weight_norm") if len(s))))
    return norm * weights / abs(trace["loss"].first) if trace["loss"].first else 0.0
