"""Are whole-number targets amounts, or the numbers of classes, whose order says nothing?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material
from torchdoctor.examine.neighbours import nearest, others
from torchdoctor.record.measurement import Measurement

ASKED = 2_000  # training samples looked at
FEWEST, MOST = 5, 100  # distinct values; of few an order is hardly told from none, more are counts
SAMPLES = 10  # a value, on average
MISSES = 30  # neighbours of another value; of fewer their mean distance says little


@examination(
    order=7,
    measures={
        "whole_targets": "values: distinct whole numbers among the targets of a regression",
        "neighbour_agreement": "0..1: samples whose nearest neighbour has the same target",
        "neighbour_apart": "1: how far the targets of neighbours lie apart where they differ, over those of any two "
        "samples that differ; 1 where the order of the numbers says nothing",
    },
)
def number_order(material: Material) -> Iterator[Measurement]:
    """What is near an amount is a near amount: where a sample and its nearest neighbour have different targets, these
    are close to each other. The numbers of classes that look alike may be any two."""
    y = material.train.y.reshape(len(material.train), -1)
    if material.task != "amounts" or y.shape[1] != 1:
        return
    rows = material.rows("train", ASKED)
    given = y[rows, 0].double().numpy()
    values = np.unique(given)
    whole = bool((values == np.round(values)).all()) and len(values) == values.max() - values.min() + 1
    if not whole or not FEWEST <= len(values) <= MOST or len(given) < SAMPLES * len(values):
        return
    of = material.features["train"]
    _, near = others(*nearest(of[rows], of[rows], 2), np.arange(len(rows)))
    apart = np.abs(given - given[near[:, 0]])
    yield Measurement("whole_targets", len(values))
    yield Measurement("neighbour_agreement", float((apart == 0).mean()))
    if (apart > 0).sum() < MISSES:
        return
    any_two = np.abs(given - np.random.default_rng(material.seed).permutation(given))
    yield Measurement("neighbour_apart", float(apart[apart > 0].mean() / any_two[any_two > 0].mean()))
