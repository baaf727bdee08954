"""Is there anything to learn? Asked of the data, where the network does no better than guessing.

A cure that finds nothing is worth little unless it says why. Two witnesses are heard: small models that look at the
same samples (neighbours, and a forest or a kernel), and the network itself, trained on labels that were exchanged.
May not: judge by itself (it asks the rules), change the data, print.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from torchdoctor.cures.effect import Ruler
from torchdoctor.data.batch import batches_of
from torchdoctor.data.splits import Splits
from torchdoctor.examine.classes import classes
from torchdoctor.examine.examine import STAGE
from torchdoctor.examine.material import Material
from torchdoctor.examine.relevance import relevance
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import WHOLE, Trace
from torchdoctor.parts import Loader, Parts
from torchdoctor.probes.fork import preserved, reading
from torchdoctor.probes.probe import Measurement
from torchdoctor.probes.stopwatch import Stopwatch

SAMPLES = 7_000  # read of training: as many as the small models learn from and are asked
PATIENCE = 20.0  # seconds of reading
ALONE = {"fewest_of_a_class"}  # what is asked of the classes; balance and drift are other faults, and have remedies


@dataclass(frozen=True)
class Doubts:
    """causes: that lie in the data and have no remedy. said: how the network fared on exchanged labels."""

    causes: tuple[Finding, ...] = ()
    said: str = ""


def looked_at(parts: Parts, seed: int, with_models: bool) -> Trace:
    """What the samples say without the network; empty where they cannot be laid out as one table of numbers.

    with_models: ask small models too, which takes seconds.
    """
    with preserved(parts):
        train = _table(parts.train)
        val = None if parts.val is None else _table(parts.val)
    if train is None:
        return Trace({}, {"stage": STAGE})
    complete = max(len(part[0]) for part in (train, val) if part) < SAMPLES  # else the rest is not known
    material = Material.of(Splits(*train, *(val or (None, None))), seed=seed)
    said = [*(_counted(material) if complete else ()), *(relevance.run(material) if with_models else ())]
    data: dict[str, dict[str, Series]] = {}
    for item in said:
        if isinstance(item, Measurement):
            data.setdefault(item.signal, {})[item.subject or WHOLE] = Series.of([item.value])
    return Trace(data, {"stage": STAGE})


def beyond_help(data: Trace) -> tuple[Finding, ...]:
    """Causes that lie in the data, and that no fix is known against: to be told, not cured."""
    return tuple(f for f in judge(data) if f.alarm and f.kind == "cause" and not f.fixes)


def as_well(ruler: Ruler, score: float, exchanged: float) -> str:
    """That the network scores no better on the true labels than on exchanged ones; "" where it does."""
    if ruler.fair(score) > ruler.fair(exchanged) and not ruler.is_chance(score):
        return ""
    return (
        f"Trained on labels that were exchanged between samples, the network scores {exchanged:.3f}; on the true ones "
        f"{score:.3f}."
    )


def with_doubts(report: Report, doubts: Sequence[Finding]) -> Report:
    """The report with what the data say behind its other causes: a remedy that works is worth more than a reason."""
    known = {f.name for f in report}
    new = tuple(f for f in doubts if f.name not in known)
    causes = tuple(f for f in report if f.kind == "cause")
    return replace(report, findings=(*causes, *new, *(f for f in report if f.kind != "cause"))) if new else report


def _counted(material: Material) -> Iterator[Measurement]:
    for name, part in material.parts.items():
        yield Measurement("part_samples", float(len(part)), name)
    for item in classes.run(material):
        if isinstance(item, Measurement) and item.signal in ALONE:
            yield item


def _table(loader: Loader) -> tuple[Tensor, Tensor] | None:
    """x (N, ...) and y (N, ...) of at most SAMPLES samples; None for several inputs, ragged ones, or none in time."""
    stopwatch, samples = Stopwatch(), 0
    x: list[Tensor] = []
    y: list[Tensor] = []
    for batch in batches_of(reading(loader), "the loader"):
        inputs, target = batch.inputs[0], batch.target
        if len(batch.inputs) > 1 or not isinstance(inputs, Tensor) or not isinstance(target, Tensor) or not target.ndim:
            return None
        if x and (inputs.shape[1:] != x[0].shape[1:] or target.shape[1:] != y[0].shape[1:]):
            return None
        x.append(inputs.detach().cpu())
        y.append(target.detach().cpu())
        samples += len(target)
        if samples >= SAMPLES:
            break
        if stopwatch.on_the_clock > PATIENCE:
            return None
    features, targets = torch.cat(x), torch.cat(y)
    return None if len(features) != len(targets) else (features[:SAMPLES], targets[:SAMPLES])
