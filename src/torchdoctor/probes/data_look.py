"""What samples alone say, of as many as a check can afford: labels that say nothing or are wrong, twins, outliers,
marks that tell all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.errors import MissingExtra
from torchdoctor.examine.examination import CannotTell, Examination
from torchdoctor.examine.label_suspects import label_suspects
from torchdoctor.examine.material import Material, Part
from torchdoctor.examine.number_order import number_order
from torchdoctor.examine.outliers import outliers
from torchdoctor.examine.relevance import relevance
from torchdoctor.examine.shortcuts import shortcuts
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.first_samples import first_samples
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.probes.survey import Survey, fingerprints

LOOKING = 2.5  # seconds; no further look is begun when they are used up
LOOKS: tuple[Examination, ...] = (relevance, outliers, number_order, label_suspects, shortcuts)
DROPPED = "label_suspect_rows"  # the fact a fix goes by, which must not where the loader does not tell its indices
ROWS = {"label_suspects": ("row",), "outliers": (0,)}  # facts that name samples, and where in each entry


@probe(
    passes=6,  # none; but what costs more than this is left out where the budget is small
    seconds=LOOKING,
    measures={
        "repeated_samples": "samples: of training that are equal to another of it, bit for bit",
        "contradicting_samples": "samples: among them, whose twin has another target",
        **{name: what for look in LOOKS for name, what in look.measures.items()},
    },
)
def data_look(bench: Bench) -> Iterator[Measurement | Fact]:
    """Looks that `torchdoctor data` takes at all samples, at some hundreds of training: a small model against permuted
    labels, neighbours far away, labels that out-of-fold predictions contradict, one place that tells all. Twins are
    counted in what the pass over the data saw, where it came to the end.

    Only of one input with one target each: one class, or one number.
    """
    yield from _twins(bench.surveyed)
    stopwatch = Stopwatch()
    names, x, y = first_samples(bench, bench.train, "train")
    known = bench.surveyed.indexed
    if not len(x):
        return
    material = Material({"train": Part(x, y)})
    for look in LOOKS:
        if stopwatch.seconds > LOOKING:
            return
        try:
            yield from (_named(item, names) for item in look.run(material) if known or item[0] != DROPPED)
        except (CannotTell, MissingExtra):  # its rule says that it could not run
            continue


def _twins(seen: Survey) -> Iterator[Measurement]:
    """By the dataset's own numbers: a sample that the loader draws twice is no twin of itself."""
    if not (seen.complete and seen.indexed and len(seen.names) == len(seen.prints)):
        return
    prints = {name: p for name, p in zip(seen.names, seen.prints) if p not in seen.blank}
    first: dict[int, int] = {}
    twins = [(name, first[p]) for name, p in prints.items() if first.setdefault(p, name) != name]
    yield Measurement("repeated_samples", len(twins), "train")
    targets = [p for t in seen.labels for p in fingerprints([t])] if twins else []
    if len(targets) == len(seen.names):
        of = dict(zip(seen.names, targets))
        yield Measurement("contradicting_samples", sum(of[a] != of[b] for a, b in twins))


def _named(item: Measurement | Fact, names: list[int]) -> Measurement | Fact:
    """Rows of what was read become the dataset's own numbers."""
    if isinstance(item, Measurement) or not isinstance(item.value, list):
        return item
    return Fact(item.name, [_with_names(entry, ROWS.get(item.name, ()), names) for entry in item.value])


def _with_names(entry: Any, places: tuple[Any, ...], names: list[int]) -> Any:
    if isinstance(entry, int):
        return names[entry]
    entry = dict(entry) if isinstance(entry, dict) else list(entry)
    for place in places:
        entry[place] = names[entry[place]]
    return entry
