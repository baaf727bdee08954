"""Does one small place of the inputs tell the target by itself: a column, a patch, an edge, a few tokens?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from torchdoctor.examine.examination import examination
from torchdoctor.examine.features import Matrix
from torchdoctor.examine.local_places import places_of
from torchdoctor.examine.material import Material, Part, Rows
from torchdoctor.examine.small_models import classifier, regressor
from torchdoctor.record.measurement import Fact, Measurement

ASKED = 1_600  # training samples looked at, half of them learnt from and half asked, in turns
FEW = 60  # samples with which nothing is said
WORTH, AHEAD = 0.9, 0.05  # less, or no farther ahead of the next place, is no shortcut: the dear looks are left out
LEAVES = 12  # of a tree for each class: a mark is a handful of values, a texture would need hundreds
Answers = NDArray[Any]


@examination(
    order=9,
    measures={
        "local_score": "1: what the most telling single place of the inputs tells of samples it was not fitted to, "
        "accuracy above the commonest class's or R2; 1 tells all",
        "next_local_score": "1: the same of the most telling place apart from it; 0 where there is none",
        "rest_score": "1: the same of a small model that sees all but that place; only for a place that tells 0.9 "
        "and is ahead of the next",
        "local_val_score": "1: what that place, learnt from training, tells of validation; likewise",
    },
)
def shortcuts(material: Material) -> Iterator[Measurement | Fact]:
    """A small tree on each column, patch, edge, position or set of tokens alone, asked about samples that it has not
    seen.

    Geirhos et al., Shortcut Learning in Deep Neural Networks, Nature Machine Intelligence 2020.
    """
    rows = np.random.default_rng(material.seed).permutation(material.rows("train", ASKED))
    x, y = material.train.x[torch.as_tensor(rows)], _plain(material, material.train.y)[rows]
    if y.ndim > 1 or len(rows) < FEW or len(np.unique(y)) < 2:
        return
    places = places_of(x, material.kind, material.between, y)
    if not places:
        return
    scores = [_twofold(material, place.values, y) for place in places]
    best = int(np.argmax(scores))
    place, score = places[best], scores[best]
    apart = [s for other, s in zip(places, scores) if place.apart(other)]
    yield Measurement("local_score", score)
    following = max([0.0, *apart])
    yield Measurement("next_local_score", following)
    named = material.columns[int(place.name)] if place.kind == "column" and material.columns else place.name
    yield Fact("local_place", {"kind": place.kind, "name": named, "others": len(apart)})
    if score < max(WORTH, following + AHEAD):
        return
    blind = replace(material, parts={"train": Part(place.without(x), material.train.y[torch.as_tensor(rows)])})
    yield Measurement("rest_score", _twofold(blind, blind.features["train"], y, whole=True))
    if (val := material.parts.get("val")) is not None and len(val) >= FEW:
        asked = material.rows("val", ASKED)
        tree = _tree(material, y).fit(place.values, y)
        guess = tree.predict(place.of(val.x[torch.as_tensor(asked)]))
        yield Measurement("local_val_score", _score(material, guess, _plain(material, val.y)[asked]))


def _plain(material: Material, y: torch.Tensor) -> Answers:
    """(N,) where there is one number a sample."""
    numbers = y.long().numpy() if material.task == "classes" else y.double().nan_to_num().numpy()
    return np.asarray(numbers.reshape(len(y)) if numbers.size == len(y) else numbers)


def _twofold(material: Material, x: Matrix, y: Answers, whole: bool = False) -> float:
    """Each half is answered by what was learnt from the other. whole: by a small model, else by a tree."""
    halves: tuple[Rows, Rows] = (np.arange(0, len(y), 2), np.arange(1, len(y), 2))
    guess = np.zeros_like(y)
    for learn, ask in (halves, halves[::-1]):
        if len(np.unique(y[learn])) < 2:
            return 0.0
        model = _small(material, x[learn]) if whole else _tree(material, y)
        guess[ask] = model.fit(x[learn], y[learn]).predict(x[ask])
    return _score(material, guess, y)


def _tree(material: Material, y: Answers) -> Any:
    if material.task == "classes":
        return DecisionTreeClassifier(max_leaf_nodes=LEAVES * len(np.unique(y)), random_state=material.seed)
    return DecisionTreeRegressor(min_samples_leaf=3, random_state=material.seed)


def _small(material: Material, x: Matrix) -> Any:
    return classifier(material.kind, x, material.seed) if material.task == "classes" else regressor(material.seed)


def _score(material: Material, guess: Answers, y: Answers) -> float:
    """1 when all is told, 0 for what the commonest class or the mean does, and not less."""
    if material.task == "classes":
        prior = np.unique(y, return_counts=True)[1].max() / len(y)
        return max(0.0, float(((guess == y).mean() - prior) / (1 - prior))) if prior < 1 else 0.0
    total = float(np.square(y - y.mean()).sum())
    return max(0.0, 1 - float(np.square(y - guess).sum()) / total) if total else 0.0
