"""A schedule that takes the learning rate to where nothing is learnt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.rates import Rates
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Floats, Series
from torchdoctor.judge.trace import Trace

SOME = 0.05  # of the way of the best rate, in an experiment shorter than the run: this rate learns
LIVELY = 0.1  # of the highest rate: what steps at less than that learn says nothing of the rest
MOST = 0.7  # of the run: no schedule is meant to leave as much to steps that change nothing
HALF = 0.5  # of its first value: a loss that has fallen less than that had begun, and no more
SOON = 0.1  # of the run: too short to see a trend, and a fall too small to be called learning

_N = np.arange(1000)
_SETTINGS = {"optimizer": {"type": "SGD", "groups": [{"lr": 1e-4, "initial_lr": 0.1}]}}
_NOISE = np.random.default_rng(0).normal(0, 0.02, 1000)


def _cut_off(at: int) -> Floats:
    """A loss that falls steadily until a step, and stays there."""
    return np.asarray(2.3 - 0.004 * np.minimum(_N, at) + _NOISE)


def _tenths(every: int) -> Series:
    return Series.of(0.1 ** np.arange(1, 9), every=every)


FIRES = {
    "divided by ten every few steps": Trace.of(lr={"0": _tenths(40)}, loss=_cut_off(160)),
    "a tenth less after every batch, in the midst of the fall": Trace.of(
        lr={"0": 0.1 * 0.9**_N}, loss=1.5 + 0.8 * np.exp(-np.minimum(_N, 40) / 20) + _NOISE
    ),
    "through in sixteen steps": Trace.of(lr={"0": _tenths(4)}, loss=2.3 + _NOISE),
    "divided by ten after every epoch, so that all went on in the first": Trace.of(
        lr={"0": Series.of(0.01 * 0.1 ** np.arange(12), every=15)}, loss=1.63 - 0.04 * np.minimum(_N[:180], 15) / 15
        + _NOISE[:180] / 4, prior_loss=1.608,
        overfit_loss={"here x1": np.linspace(1.63, 0.9, 60), "here x10": np.geomspace(1.63, 0.05, 40)},
    ),
    "a warm-up that would take a hundred times the run": Trace.of(
        _SETTINGS, lr={"0": Series.of(np.linspace(1e-4, 1e-3, 10), every=100)}, loss=_cut_off(1000)
    ),
}  # fmt: skip
QUIET = {
    "cut by plateaus, long after all was learnt": Trace.of(
        lr={"0": Series.of([0.1, 0.1, 0.1, 0.01, 1e-3, *[1e-5] * 15], every=50)}, loss=_cut_off(30)
    ),
    "a cosine that learns little: half of its steps count": Trace.of(
        lr={"0": Series.of(0.05 * (1 + np.cos(_N / 1000 * np.pi)))}, loss=1.63 + _NOISE, prior_loss=1.608,
        overfit_loss={"here x1": np.geomspace(1.63, 0.1, 60)},
    ),
    "constant": Trace.of(lr={"0": [0.1]}, loss=_cut_off(1000)),
    "down at the end": Trace.of(lr={"0": Series.of(0.1 * np.cos(_N / 1000 * np.pi / 2) ** 2)}, loss=_cut_off(1000)),
    "cut when the loss had long stopped falling": Trace.of(
        lr={"0": Series.of([0.1, 1e-5], every=500)}, loss=_cut_off(160)
    ),
    "a warm-up that has arrived": Trace.of(
        _SETTINGS, lr={"0": Series.of(np.linspace(1e-4, 0.1, 10), every=10)}, loss=_cut_off(1000)
    ),
    "restarts come back": Trace.of(lr={"0": Series.of([0.1, 1e-5] * 5, every=100)}, loss=_cut_off(160)),
}  # fmt: skip


@rule(
    "S10",
    kind="cause",
    needs=["lr", "loss"],
    explains=["stalled-loss", "no-better-than-prior", "underfitting", "too-few-epochs", "low-learning-rate"],
)
def misused_scheduler(
    trace: Trace, *, dead: float = 1e-3, rest: float = 0.3, spent: float = 0.15, steps: int = 50
) -> Iterator[Finding]:
    """The schedule holds the learning rate where nothing is learnt, while there is something to learn.

    Why it hurts
        A schedule counts calls of its step(). One that is meant for epochs and is called after every batch is through
        within the first of them; one that is meant for steps and is called after every epoch never arrives.

    How it decides
        Three ways. The rate went below `dead` of its highest for the last `rest` of the run, while the loss was still
        falling: over the last half of the steps before, by a tenth of all it fell until then and three standard errors,
        and afterwards not by half as fast; or it went there within the first tenth, and the loss has not fallen by a
        tenth since; or it is there for seven tenths of the run after less than one above a tenth of its highest, and
        the loss has not come down to half. Or all steps together are no more than `spent` of as many at the highest
        rate, the loss has not come a twentieth below the best constant answer, and one batch goes a twentieth of the
        best rate's way at that rate: a cosine spends 0.5, a tenth after each third of the run 0.37. Or the rate only
        rises, until lately, and has not come to a tenth of what the optimizer's settings say it is to begin from or to
        reach. `steps` steps at least. The numbers are first guesses: cosine and one-cycle are below a thousandth for
        less than the last fiftieth of a run.

    When it is wrong
        A long warm-up whose run was stopped early on purpose.

    References
        torch.optim.lr_scheduler: what each schedule counts.
    """
    loss = trace.taken("loss").finite()
    if len(loss) < steps:
        raise CannotSay(f"needs {steps} steps with a loss, got {len(loss)}")
    for name, recorded in trace.each("lr"):
        rates = recorded.finite()
        peak = float(rates.values.max(initial=0.0))
        if len(rates) < 2 or peak <= 0:
            continue
        finding = (
            _died(rates, peak, loss, dead, rest)
            or _spent(rates, peak, loss, trace, spent)
            or _never_came(rates, peak, _planned(trace, name), loss)
        )
        if finding is not None:
            yield finding
            return


def _died(rates: Series, peak: float, loss: Series, dead: float, rest: float) -> Finding | None:
    alive = np.flatnonzero(rates.values >= dead * peak)
    if alive[-1] == len(rates) - 1:
        return None
    since, end = int(rates.steps[alive[-1] + 1]), int(loss.steps[-1])
    before, after = loss.between(0, since - 1), loss.between(since, end)
    if len(after) < rest * len(loss):
        return None
    at_once = len(before) < SOON * len(loss) and loss.fallen() < SOON
    lively = loss.between(0, int(rates.steps[np.flatnonzero(rates.values >= LIVELY * peak)[-1]]))
    early = len(after) >= MOST * len(loss) and len(lively) < SOON * len(loss) and loss.fallen() < HALF
    if not at_once and not early and not _was_falling(before, after):
        return None
    doing = "had hardly begun to fall" if at_once else "had not come down to half" if early else "was falling"
    return Finding(
        f"From step {since} of {end} on the learning rate is below {rates.at(np.array([since]))[0] / peak:.1g} of its "
        f"{peak:.3g}; the loss {doing} and stays at {after.median():.3g}.",
        steps=(since, end),
        confidence=0.85,
        evidence={"highest": peak, "last": rates.last, "steps_before": len(before), "loss_at_end": after.median()},
        fixes=(Remedy("drop-schedule"), Remedy("use-own-loop")),
    )


def _was_falling(before: Series, after: Series) -> bool:
    """And it no longer does, or not by half as fast."""
    if len(before) < 10 or len(after) < 10:
        return False
    first, second, error = before.tail(max(10, len(before) // 2)).halves(10)
    fall = first - second
    if not fall > max(3 * error, 0.1 * (before.first - second)):
        return False
    then, now, _ = after.halves(10)
    return bool(then - now < 0.5 * fall * len(after) / max(1, len(before) // 2))


def _spent(rates: Series, peak: float, loss: Series, trace: Trace, share: float) -> Finding | None:
    """The rates of all steps, counted in steps at the highest, are few; and what they learnt is nothing."""
    rates_tried, prior = Rates.of(trace), trace.value("prior_loss")
    worth = float(rates.at(loss.steps).sum()) / peak
    if prior is None or rates_tried.planned is None or not rates_tried.learnable or rates_tried.planned.fallen < SOME:
        return None
    if worth > share * len(loss) or not loss.tail(len(loss) // 4).median() > 0.95 * prior > 0:
        return None
    return Finding(
        f"The schedule leaves {len(loss)} steps the length of {worth:.3g} at its highest rate, {peak:.3g}, and the "
        f"loss stays at {loss.tail(len(loss) // 4).median():.3g}.",
        steps=(int(rates.steps[1]), int(loss.steps[-1])),
        confidence=0.75,
        evidence={"highest": peak, "last": rates.last, "worth": worth, "prior_loss": prior},
        fixes=(Remedy("drop-schedule"), Remedy("use-own-loop")),
    )


def _never_came(rates: Series, peak: float, planned: float, loss: Series) -> Finding | None:
    rising = bool((np.diff(rates.values) > 0).all()) and rates.steps[-1] > 0.5 * loss.steps[-1]
    if not rising or not peak < 0.1 * planned:
        return None
    return Finding(
        f"The learning rate rises from {rates.first:.2g} to {peak:.2g} in {int(loss.steps[-1]) + 1} steps and never "
        f"comes near the {planned:.2g} it is meant for.",
        steps=(int(rates.steps[0]), int(loss.steps[-1])),
        confidence=0.8,
        evidence={"highest": peak, "planned": planned},
        fixes=(Remedy("drop-schedule"), Remedy("use-own-loop")),
    )


def _planned(trace: Trace, group: str) -> float:
    """The rate that the optimizer's settings name for the group; 0 when they name none."""
    groups: Any = trace.facts.get("optimizer", {}).get("groups", [])
    settings = groups[int(group)] if group.isdigit() and int(group) < len(groups) else {}
    named = [settings.get(k) for k in ("initial_lr", "max_lr")]
    return max((float(v) for v in named if isinstance(v, (int, float))), default=0.0)
