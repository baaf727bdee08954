"""Are the parts drawn from the same? A classifier is asked to tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from torch import Tensor

from torchdoctor.examine.examination import examination
from torchdoctor.examine.features import Matrix, embedding
from torchdoctor.examine.material import Material
from torchdoctor.record.measurement import Fact, Measurement

ASKED = 4_000  # samples of each part
SHUFFLES = 999  # of the held-out domain labels: the level is then 1 in 1,000
LEAST = 20  # samples a part must have


@examination(
    order=7,
    measures={
        "drift_score": "0.5..1: area under the curve of a classifier that tells training from another part",
        "drift_by_chance": "0.5..1: what it would exceed once in 1,000 times if both were drawn from the same",
        "drift_samples": "samples: of the two parts together",
    },
)
def drift(material: Material) -> Iterator[Measurement | Fact]:
    """A forest learns on one half of the samples which part each comes from, and is scored on the other half.

    Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017. Chance: the same scores with the parts of
    the held-out half shuffled.
    """
    ours = material.train.x[material.rows("train", ASKED)]
    for name, part in material.parts.items():
        theirs = part.x[material.rows(name, ASKED)]
        if name == "train" or min(len(ours), len(theirs)) < LEAST:
            continue
        pair = _common(ours, theirs) if material.kind == "ids" else (ours, theirs)
        # Fitted to both alike: components of training samples alone fit those better, and would tell them by that.
        embed = embedding(torch.cat(pair), material.kind, material.between, material.seed)
        score, chance = _told_apart(embed(pair[0]), embed(pair[1]), material.seed)
        yield Measurement("drift_score", score, name)
        yield Measurement("drift_by_chance", chance, name)
        yield Measurement("drift_samples", len(ours) + len(theirs), name)


def _common(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Without ids that one of the two lacks: a vocabulary is made of training's words, and knows all of those only."""
    both = torch.from_numpy(np.intersect1d(ours.numpy(), theirs.numpy()))
    kept_ours, kept_theirs = (torch.where(torch.isin(ids, both), ids, 0) for ids in (ours, theirs))
    return kept_ours, kept_theirs


def _told_apart(ours: Matrix, theirs: Matrix, seed: int) -> tuple[float, float]:
    """Area under the curve, and its 99.9 % quantile by chance."""
    random = np.random.default_rng(seed)
    x, of = np.concatenate([ours, theirs]), np.repeat([0, 1], [len(ours), len(theirs)])
    order = np.concatenate([random.permutation(np.flatnonzero(of == part)) for part in (0, 1)])
    learn, ask = order[::2], order[1::2]
    forest = RandomForestClassifier(100, min_samples_leaf=5, class_weight="balanced", random_state=seed)
    scores = forest.fit(x[learn], of[learn]).predict_proba(x[ask])[:, 1]
    ranks = np.argsort(np.argsort(scores)) + 1.0
    n = int(of[ask].sum())
    m = len(ask) - n
    sums = np.array([ranks[random.permutation(len(ask))[:n]].sum() for _ in range(SHUFFLES)])
    return float(roc_auc_score(of[ask], scores)), float((sums.max() - n * (n + 1) / 2) / (n * m))
