"""Units that start alike and stay alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _rows(**shares: tuple[float, ...]) -> dict[str, Any]:
    return {name.replace("_", "."): Series.of(list(values)) for name, values in shares.items()}


FIRES = {
    "all weights zero": Trace.of(identical_rows=_rows(fc1_weight=(1.0, 1.0), fc2_weight=(1.0, 0.0))),
    "all weights the same": Trace.of(
        identical_rows=_rows(fc1_weight=(1.0, 1.0), fc2_weight=(1.0, 1.0)), identical_units={"fc1": 1.0}
    ),
    "one layer of ones, random weights behind": Trace.of(
        identical_rows=_rows(fc1_weight=(1.0, 0.0), fc2_weight=(0.0,)), identical_units={"fc1": 1.0}
    ),
}
QUIET = {
    "drawn at random": Trace.of(identical_rows=_rows(fc1_weight=(0.0,), fc2_weight=(0.0,))),
    "a last layer of zeros: a step tells its units apart": Trace.of(
        identical_rows=_rows(fc1_weight=(0.0,), fc2_weight=(1.0, 0.0))
    ),
    "a depthwise average: equal weights, unlike inputs": Trace.of(
        identical_rows=_rows(pool_weight=(1.0, 0.0)), identical_units={"pool": 0.0}
    ),
    "watched: a bias of each user, one number a row": Trace.of(
        {"parameters": {"bias.weight": {"shape": [900, 1]}}}, identical_rows=_rows(bias_weight=(1.0, 0.95, 0.95))
    ),
}


@rule(
    "M07",
    kind="cause",
    severity=Severity.ERROR,
    needs=["identical_rows"],
    explains=[
        "stalled-loss", "no-better-than-prior", "underfitting", "vanishing-gradients", "dead-units",
        "badly-scaled-init", "abnormal-update-ratio",
    ],
)  # fmt: skip
def symmetric_init(trace: Trace, *, alike: float = 0.9) -> Iterator[Finding]:
    """The units of a layer start with equal weights, and nothing tells them apart.

    Why it hurts
        Equal units get equal gradients and stay equal for ever: a layer of any width is one unit wide. All zero, they
        get none at all.

    How it decides
        The share of rows equal to the first is `alike` or more at the start and still after three steps of the user's
        optimizer on a fork in eval mode (dropout would tell units apart by chance), or in all sampled steps of a
        watched run. Zeros that the first steps break up are common good practice (last layers, residual branches,
        adapters) and are not spoken of. Equal weights other than zero whose outputs are equal too, but for a constant,
        are a warning even when random weights behind begin to pull them apart: that takes far longer than training
        should.

    When it is wrong
        A layer that averages on purpose and is trained from there.

    References
        Goodfellow, Bengio, Courville: Deep Learning (2016), section 8.4, on breaking symmetry.
    """
    lasting = [n for n, series in trace.each("identical_rows") if _lasts(trace, n, series, alike)]
    if lasting:
        what = f"The units of {lasting[0]} start with equal weights and every step leaves them equal"
        yield _finding(f"{what}{_others(lasting)}.", lasting, Severity.ERROR, 0.95)
        return
    twins = [n for n, series in trace.each("identical_units") if series.last >= alike]
    if twins:
        what = f"All units of {twins[0]} start with the same weights and put out the same"
        yield _finding(f"{what}{_others(twins)}.", twins, Severity.WARNING, 0.8)


def _lasts(trace: Trace, name: str, series: Series, alike: float) -> bool:
    """One number a row is a table (a bias of each item), whose rows wait for their turn; those are no units."""
    shape = trace.facts.get("parameters", {}).get(name, {}).get("shape", [])
    table = len(shape) == 2 and shape[1] == 1
    return len(series) > 1 and not table and bool((series.values >= alike).all())


def _others(names: list[str]) -> str:
    return f" (so {'do' if len(names) > 2 else 'does'} {len(names) - 1} more)" if len(names) > 1 else ""


def _finding(what: str, names: list[str], severity: Severity, confidence: float) -> Finding:
    return Finding(
        what,
        where=tuple(names),
        severity=severity,
        confidence=confidence,
        evidence={"layers": len(names)},
        fixes=(Remedy("reinitialize"),),
    )
