"""Samples far from all others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material
from torchdoctor.examine.neighbours import nearest, others
from torchdoctor.record.measurement import Fact, Measurement

ASKED = 10_000  # training samples looked at
AROUND = 10  # the distance to the tenth neighbour: a handful of alike outliers does not hide itself
FAR = 3.0  # interquartile ranges of the logarithm above the upper quartile: Tukey's far out
NAMED = 24


@examination(
    order=5,
    measures={
        "outlying_samples": "samples: of training that lie far out",
        "outlier_samples": "samples: of training that were looked at",
        "farthest_sample": "1: distance of the farthest to its neighbours, over the median sample's",
    },
)
def outliers(material: Material) -> Iterator[Measurement | Fact]:
    """The distance of each training sample to its tenth neighbour, and which lie beyond Tukey's outer fence.

    Ramaswamy, Rastogi, Shim, Efficient Algorithms for Mining Outliers, SIGMOD 2000; Tukey, 1977.
    """
    if len(material.train) <= 3 * AROUND:
        return
    rows = material.rows("train", ASKED)
    of = material.features["train"]
    distances, _ = others(*nearest(of, of[rows], AROUND + 1), rows)
    far = np.log(np.maximum(distances[:, -1], 1e-30))
    low, middle, high = np.quantile(far, (0.25, 0.5, 0.75))
    out = np.flatnonzero(far > high + FAR * max(high - low, 1e-6))
    worst = out[np.argsort(-far[out])]
    yield Measurement("outlying_samples", len(out))
    yield Measurement("outlier_samples", len(rows))
    yield Measurement("farthest_sample", float(np.exp(far.max() - middle)))
    yield Fact("outliers", [[int(rows[i]), round(float(np.exp(far[i] - middle)), 2)] for i in worst[:NAMED]])
