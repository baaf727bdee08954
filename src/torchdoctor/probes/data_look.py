"""What samples alone say, of as many as a check can afford: labels that say nothing or are wrong, twins, outliers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.errors import MissingExtra
from torchdoctor.examine.examination import CannotTell, Examination
from torchdoctor.examine.label_suspects import label_suspects
from torchdoctor.examine.material import Material, Part
from torchdoctor.examine.outliers import outliers
from torchdoctor.examine.relevance import relevance
from torchdoctor.probes.batch import Batch, class_ids
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.probes.survey import Survey, fingerprints, indexed

SAMPLES = 800  # read of training; of 240 asked, a relation worth having shows
NUMBERS = 10_000_000  # of them at most
READING, LOOKING = 1.0, 2.5  # seconds; no further look is begun when they are used up
LOOKS: tuple[Examination, ...] = (relevance, outliers, label_suspects)
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
    labels, neighbours far away, labels that out-of-fold predictions contradict. Twins are counted in what the pass
    over the data saw, where it came to the end.

    Only of one input with one target each: one class, or one number.
    """
    yield from _twins(bench.surveyed)
    stopwatch = Stopwatch()
    names, x, y = _read(bench)
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


def _read(bench: Bench) -> tuple[list[int], Tensor, Tensor]:
    """Names, inputs and targets of the first samples; nothing where they are of another form."""
    stopwatch = Stopwatch()
    names: list[int] = []
    inputs: list[Tensor] = []
    targets: list[Tensor] = []
    for indices, batch in indexed(bench.train, "train"):
        if not _plain(batch) or (inputs and batch.inputs[0].shape[1:] != inputs[0].shape[1:]):
            return [], torch.empty(0), torch.empty(0)
        names += list(range(len(names), len(names) + batch.size)) if indices is None else list(indices)
        inputs.append(batch.inputs[0].detach().cpu())
        targets.append(batch.target.detach().cpu())
        enough = len(names) >= SAMPLES or len(names) * inputs[0][0].numel() >= NUMBERS
        if enough or stopwatch.seconds > READING:
            break
    target = torch.cat(targets)
    if bench.kind in ("classes", "binary"):
        return names, torch.cat(inputs), class_ids(target).reshape(-1)
    if bench.kind != "continuous" or target.numel() != len(target):
        return [], torch.empty(0), torch.empty(0)
    return names, torch.cat(inputs), target.reshape(-1).float()


def _plain(batch: Batch) -> bool:
    """One tensor in, and one class or number, or one row of shares, out."""
    if len(batch.inputs) != 1 or not all(isinstance(t, Tensor) and t.ndim for t in (batch.inputs[0], batch.target)):
        return False
    x, target = batch.inputs[0], batch.target
    return len(x) == len(target) == batch.size and x.ndim > 1 and target.ndim <= 2 and not x.is_complex()


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
