"""Batches so small that their noise undoes what they teach."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Remedy
from torchdoctor.judge.races import Races
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


def _races(planned: float, larger: float, unseen: tuple[float, float] | None = None, size: float = 2.0) -> Trace:
    """Losses after the run with small batches and the one with larger batches, from 2.3."""
    ends = {"as planned": (planned, 240), "larger batches": (larger, 60)}
    runs = {name: Series.of([2.3, last], steps=[0, steps]) for name, (last, steps) in ends.items()}
    kept = dict(zip(runs, unseen or (planned, larger)))
    return Trace.of(raced_loss=runs, raced_unseen_loss=kept, batch_size=size)


FIRES = {
    "one sample at a time at a rate for many": _races(2.9, 1.4, size=1.0),
    "normalised over two samples": _races(1.4, 0.4, (2.2, 0.6)),
}
QUIET = {
    "small and good": _races(0.1, 0.6, size=4.0),
    "neither learns": _races(2.3, 2.2),
    "only what was shown is better": _races(1.4, 0.4, (2.2, 2.3)),
}


@rule(
    "H04",
    kind="cause",
    needs=["raced_loss", "batch_size"],
    explains=["oscillating-loss", "stalled-loss", "no-better-than-prior", "underfitting", "loss-spike", "dead-units",
              "exploding-gradients", "high-learning-rate", "unsuitable-optimizer"],
)  # fmt: skip
def small_batch(trace: Trace, *, way: float = 0.3, times: float = 2.0) -> Iterator[Finding]:
    """Batches of a few samples learn next to nothing at this rate, where eight of them together do.

    Why it hurts
        The gradient of a sample or two points anywhere, and a step of a size made for the mean of many follows it; a
        batch normalisation over two samples knows of each only which of them is larger.

    How it decides
        By experiment, where batches hold eight samples or fewer: the same optimizer at the same rate on the same
        samples, as planned and with eight batches put together, which then takes a quarter of the steps. The larger
        batches must lose `way` of the loss that they began at, and `times` as much as the small ones, with no higher a
        loss on batches kept back, in eval mode; so a rate that is too high for any batch does not count, nor do batches
        that only make more updates. First guesses; small batches that suited their rate ended at a seventh to a half
        of the loss that the larger ones had after so few steps.

    When it is wrong
        Noise that is wanted, in the hope of a better minimum later. A smaller rate would often do as well.

    References
        S. McCandlish et al., "An Empirical Model of Large-Batch Training", 2018. Y. Wu, K. He, "Group Normalization",
        2018.
    """
    races, size = Races.of(trace), trace.value("batch_size")
    planned, larger = races.planned, races.runs.get("larger batches")
    if planned is None or size is None:
        raise CannotSay("no race as planned was run, or its loss began at zero or below")
    if larger is None or not larger.way > way or not larger.outruns(planned, times):
        return
    yield Finding(
        f"With batches of {size:.0f} the loss goes from {planned.first:.3g} to {planned.last:.3g} in {races.steps} "
        f"steps, with {8 * size:.0f} to {larger.last:.3g} in a quarter of them.",
        confidence=0.75,
        evidence={"batch_size": size, "planned": planned.last, "larger": larger.last, "first": planned.first},
        fixes=(Remedy("set-batch-size", {"batch_size": 32}), Remedy("set-learning-rate", {"factor": 0.1})),
    )
