"""Does augmentation leave the label true?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.data.augment.policy import Policy
from torchdoctor.data.augment.step import Mix, Step
from torchdoctor.examine.examination import CannotTell, examination
from torchdoctor.examine.features import Matrix
from torchdoctor.examine.material import Material, Rows
from torchdoctor.examine.neighbours import nearest
from torchdoctor.examine.small_models import classifier
from torchdoctor.record.measurement import Fact, Measurement

Classes = NDArray[np.int64]  # (N,) class numbers
LEARNT, ASKED = 2_500, 1_000  # samples learnt from, and samples asked
K = 5
USUAL = 0.9  # quantile of the distances of plain samples to their neighbours, class by class
TRUSTED = 0.4  # of the way from chance to all right, that the model must go on plain samples
LEAST = 50  # samples asked, or nothing is said


@examination(
    order=8,
    measures={
        "label_kept": "1: what changed samples teach of plain ones, over what plain ones teach; 0 is chance, by step",
        "label_told": "1: what changed samples teach of changed ones, over what plain ones do of plain ones, by step",
        "relabelled_share": "0..1: changed samples that look like ordinary ones of another class, of the class that"
        ' suffers most, by step; subject "" for samples as they are',
        "augment_samples": "samples: asked",
    },
)
def augmentation(material: Material) -> Iterator[Measurement | Fact]:
    """Each step of the policy alone, on training samples held out for this; of samples that a step leaves as they are
    (half of them, for a flip) nothing is asked.

    A sample is relabelled when it lies as near to samples of another class as they do to each other: a six upside down
    is a nine. One that lies far from all is only unusual, and to have such is what augmentation is for.
    """
    if material.policy is None or material.task != "classes" or material.kind == "ids":
        return
    rows = np.random.default_rng(material.seed).permutation(material.rows("train", LEARNT + ASKED))
    cut = max(int(0.7 * len(rows)), len(rows) - ASKED)
    learn, ask = rows[:cut], rows[cut:]
    if len(ask) < LEAST:
        return
    yield Measurement("augment_samples", len(ask))
    x, y = material.features["train"], material.labels("train")
    reach = reach_of(x[learn], y[learn], x[ask], y[ask])
    plain, chance = taught(x[learn], y[learn], x[ask], y[ask], material), float(np.bincount(y[ask]).max() / len(ask))
    if plain - chance < TRUSTED * (1 - chance):
        raise CannotTell(
            f"a small model gets {plain:.0%} of plain samples right, too few to tell what a change destroys"
        )
    usual = relabelled(x[learn], y[learn], x[ask], y[ask], reach)
    yield Measurement("relabelled_share", worst(usual, y[ask]))
    left: dict[str, str] = {}
    for name, step in material.policy.steps:
        (lessons, its), (asked, their) = _changed(step, material, learn), _changed(step, material, ask)
        if isinstance(step, Mix) or len(their) < LEAST or len(np.unique(its)) < 2:
            left[name] = (
                "it mixes labels too" if isinstance(step, Mix) else f"it changes {len(their)} of {len(ask)} samples"
            )
            continue
        kept = taught(lessons, its, x[ask], y[ask], material)
        told = taught(lessons, its, asked, their, material)
        yield Measurement("label_kept", (kept - chance) / (plain - chance), name)
        yield Measurement("label_told", (told - chance) / (plain - chance), name)
        yield Measurement("relabelled_share", worst(relabelled(x[learn], y[learn], asked, their, reach), their), name)
    yield Fact("augmentation_left_out", left)


def _changed(step: Step, material: Material, rows: Rows) -> tuple[Matrix, Classes]:
    """Features and labels of the samples that the step changes."""
    before = material.unit("train", rows)
    policy, random = Policy((("", step),)), np.random.default_rng([material.seed, len(rows)])
    pieces = [policy(piece, torch.zeros(len(piece)), random)[0] for piece in torch.split(before, 1_000)]
    after: Tensor = torch.cat(pieces)
    differs = (after - before).abs().flatten(1).amax(1) > 1e-3
    return material.embed(material.between.back(after[differs])), material.labels("train")[rows][differs.numpy()]


def taught(x: Matrix, y: Classes, ask: Matrix, answers: Classes, material: Material) -> float:
    """Share of right answers of a small model that learns from (x, y)."""
    return float(classifier(material.kind, x, material.seed).fit(x, y).score(ask, answers))


def reach_of(near: Matrix, labels: Classes, x: Matrix, y: Classes) -> NDArray[np.float64]:
    """(classes,): within which distance of its neighbours an ordinary sample of each class lies; 0 where unknown."""
    distances = nearest(near, x, K)[0].mean(1)
    known = [distances[y == c] for c in range(1 + int(max(labels.max(), y.max())))]
    return np.array([np.quantile(d, USUAL) if len(d) else 0.0 for d in known])


def relabelled(near: Matrix, labels: Classes, x: Matrix, y: Classes, reach: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,): the neighbours are of another class, nearly all, and as near as they are to samples of that class."""
    distances, rows = nearest(near, x, K)
    votes = np.stack([np.bincount(g, minlength=len(reach)) for g in labels[rows]])
    guess = votes.argmax(1)
    wrong: NDArray[np.bool_] = (distances.mean(1) <= reach[guess]) & (votes.max(1) >= K - 1) & (guess != y)
    return wrong


def worst(wrong: NDArray[np.bool_], y: Classes) -> float:
    """The share of the class that suffers most."""
    return max(float(wrong[y == c].mean()) for c in np.unique(y))
