"""How often each class occurs, and whether all parts hold the same ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material
from torchdoctor.record.measurement import Fact, Measurement

DRAWS = 999  # of the null: the level is then 1 in 1,000
MANY = 1_000  # classes whose counts are kept


@examination(
    order=1,
    measures={
        "label_counts": "samples: of each class 0..K-1 in training, as a vector",
        "fewest_of_a_class": "samples: of the rarest class that occurs in training",
        "class_distance": "0..1: total variation between the classes of training and of another part",
        "class_distance_by_chance": "0..1: what a random split would exceed once in 1,000 times",
        "classes_missing": "classes: of training that another part lacks, or the other way round",
    },
)
def classes(material: Material) -> Iterator[Measurement | Fact]:
    """The class histogram of each part, and its distance to training's beside what a random split would give."""
    if material.task != "classes":
        return
    width = 1 + max(int(part.y.max()) for part in material.parts.values())
    if width > MANY or min(int(part.y.min()) for part in material.parts.values()) < 0:
        return
    counts = {name: np.bincount(material.labels(name), minlength=width) for name in material.parts}
    train = counts["train"]
    yield Measurement("label_counts", train.astype(float).tolist())
    yield Measurement("fewest_of_a_class", float(train[train > 0].min()))
    yield Fact("class_counts", {name: of.tolist() for name, of in counts.items()})
    random = np.random.default_rng(material.seed)
    for name, other in counts.items():
        if name == "train":
            continue
        yield Measurement("class_distance", _distance(train, other), name)
        drawn = random.multivariate_hypergeometric(train + other, int(other.sum()), DRAWS)
        null = [_distance(train + other - d, d) for d in drawn]
        yield Measurement("class_distance_by_chance", max(null), name)
        yield Measurement("classes_missing", float(((train > 0) != (other > 0)).sum()), name)


def _distance(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Half the summed difference of the shares."""
    return float(np.abs(a / max(1, a.sum()) - b / max(1, b.sum())).sum() / 2)
