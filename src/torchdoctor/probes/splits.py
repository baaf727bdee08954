"""Do training and validation hold the same classes, and none of the same samples?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from torchdoctor.probes.batch import class_ids
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.expectation import expectation
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.sample import sample
from torchdoctor.probes.survey import Survey

DRAWS = 199  # of the null
MANY = 1_000  # classes whose shares are compared
FEWEST = 20  # validation samples: of fewer any classes may come out


@probe(
    passes=1,
    measures={
        "shared_samples": "samples: of validation that are in training, bit for bit, above what training's own repeats "
        "lead one to expect",
        "part_samples": "samples: of validation that were read",
        "class_distance": "0..1: total variation between the classes of training and of validation",
        "class_distance_by_chance": "0..1: the largest of that in 199 random splits",
        "classes_missing": "classes: of training that validation lacks, or the other way round",
    },
)
def splits(bench: Bench) -> Iterator[Measurement]:
    """What the pass over both loaders already saw, when both were read to their end.

    Classes are compared only under a loss that scores each of them by itself: a network that learns distances may well
    be judged on classes it never saw.
    """
    train, val = bench.surveyed, bench.surveyed_val
    if val is None or not (train.complete and val.complete) or val.samples < FEWEST:
        return
    yield Measurement("part_samples", val.samples, "val")
    yield Measurement("shared_samples", _shared(train, val), "val")
    if bench.kind not in ("classes", "binary") or not _scores_classes(bench):
        return
    if any(t.numel() != len(t) for seen in (train, val) for t in seen.labels if t.ndim):
        return  # the letters of a text, the pixels of a mask: no split deals them out one by one
    if any(len(set(seen.names)) < len(seen.names) for seen in (train, val)):
        return  # a sampler draws some samples several times, perhaps of rare classes: its shares are not the split's
    counts = [_labels(seen) for seen in (train, val)]
    width = max(int(c.max(initial=0)) for c in counts) + 1
    if width > MANY or min(int(c.min(initial=0)) for c in counts) < 0:
        return
    here, there = (np.bincount(c, minlength=width) for c in counts)
    drawn = np.random.default_rng(0).multivariate_hypergeometric(here + there, int(there.sum()), DRAWS)
    yield Measurement("class_distance", _distance(here, there), "val")
    yield Measurement("class_distance_by_chance", max(_distance(here + there - d, d) for d in drawn), "val")
    yield Measurement("classes_missing", float(((here > 0) != (there > 0)).sum()), "val")


def _shared(train: Survey, val: Survey) -> float:
    """Of as many samples drawn like training's, so many have a twin in it as training's own have, give or take three
    standard errors. A sample that the loader draws twice is no twin of itself."""
    times = Counter(dict(zip(train.names, train.prints)).values())
    twins = sum(n for n in times.values() if n > 1) / max(1, sum(times.values()))
    expected = twins * len(val.prints)
    return max(0.0, sum(p in times for p in val.prints) - expected - 3 * math.sqrt(expected))


def _labels(seen: Survey) -> NDArray[np.int64]:
    return torch.cat([class_ids(torch.nan_to_num(t)).reshape(-1) for t in seen.labels]).cpu().numpy().astype(np.int64)


def _distance(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Half the summed difference of the shares."""
    return float(np.abs(a / max(1, a.sum()) - b / max(1, b.sum())).sum() / 2)


def _scores_classes(bench: Bench) -> bool:
    batch = sample(bench)
    with torch.no_grad():
        output = bench.output(bench.parts.model, batch)
    expects = expectation(bench.parts.loss_fn, output.cpu(), batch.target)
    return expects.axis is not None or (bench.kind == "binary" and (expects.scores or expects.probabilities))
