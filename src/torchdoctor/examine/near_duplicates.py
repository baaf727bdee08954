"""Samples that are nearly the same: another compression, a little noise, another exposure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material
from torchdoctor.examine.neighbours import Floats, nearest, others, robust_scale
from torchdoctor.record.measurement import Fact, Measurement

ASKED = 10_000  # samples of a part that are compared with all of training
AROUND = 6  # neighbours: the first against the median of the rest
FAR = 7.0  # robust standard deviations below the usual
CLOSE = 0.5  # of the distance to the other neighbours, at most
NAMED = 200


@examination(
    order=4,
    measures={
        "near_duplicates": "samples: of a part that nearly are a training sample, though not bit for bit",
        "near_samples": "samples: of each part that were compared",
        "near_threshold": "1: distance to the nearest over that to the next ones, below which it is a near duplicate",
    },
)
def near_duplicates(material: Material) -> Iterator[Measurement | Fact]:
    """The nearest training sample of each, against the next ones. One that lies far nearer than they do is a twin.

    Where dense and sparse regions mix, a distance alone says little; the ratio to the neighbours beyond does (Lowe,
    IJCV 2004). The threshold is the data's own: so many robust standard deviations below the usual logarithm.
    """
    if len(material.train) <= 2 * AROUND or material.features["train"].shape[1] < 2:
        return
    found: dict[str, tuple[Floats, np.ndarray, np.ndarray]] = {}
    for name in material.parts:
        rows = material.rows(name, ASKED)
        distances, there = nearest(material.features["train"], material.features[name][rows], AROUND + 1)
        if name == "train":
            distances, there = others(distances, there, rows)
        found[name] = (distances[:, :AROUND], there, rows)
    usual = found["train"][0]
    ratios = _ratios(usual)
    middle, spread = robust_scale(np.log(ratios[ratios > 0])) if (ratios > 0).any() else (0.0, 0.0)
    threshold = min(CLOSE, float(np.exp(middle - FAR * spread)))
    yield Measurement("near_threshold", threshold)
    pairs: list[list[object]] = []
    for name, (distances, there, rows) in found.items():
        twins = np.flatnonzero((_ratios(distances) < threshold) & (distances[:, 0] > 1e-6 * np.median(usual)))
        yield Measurement("near_samples", len(rows), name)
        yield Measurement("near_duplicates", len(twins), name)
        pairs += [[name, int(rows[i]), "train", int(there[i, 0])] for i in twins[:NAMED]]
    yield Fact("near_duplicates", pairs)


def _ratios(distances: Floats) -> Floats:
    """(N, k) -> (N,): the first over the median of the rest."""
    return distances[:, 0] / np.maximum(np.median(distances[:, 1:], axis=1), 1e-30)
