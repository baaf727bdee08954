"""Does what the training loader changes at random leave the label true? Asked of validation, which is plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from torchdoctor.examine.augmentation import LEAST, TRUSTED, reach_of, relabelled, taught, worst
from torchdoctor.examine.material import Material, Part
from torchdoctor.parts import Loader
from torchdoctor.probes.batch import tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.first_samples import first_samples
from torchdoctor.probes.fork import preserved, seeded
from torchdoctor.probes.probe import Measurement, probe

DRAWS = 4  # of one sample; a change that is made now and then must show in one of them
STEP = "the loader"


@probe(
    passes=6,  # none; but what costs more than this is left out where the budget is small
    seconds=2.0,
    measures={
        "label_kept": "1: what training samples, as the loader changes them, teach of validation, over what as many of "
        'validation do; 0 is chance; subject "the loader"',
        "label_told": "1: what they teach of each other, over the same",
        "relabelled_share": "0..1: of them, that look like ordinary ones of another class, of the class that suffers "
        'most; subject "" for validation samples as they are',
    },
)
def augmented_lessons(bench: Bench) -> Iterator[Measurement]:
    """A small model learns from half of the changed training samples or from half of validation, and answers for the
    other half of each.

    Only of pictures or rows with one class each, where reading one training sample twice gives two, and reading one of
    validation does not.
    """
    if bench.val is None or bench.kind not in ("classes", "binary"):
        return
    if not _varies(bench.original.train, bench) or _varies(bench.original.val, bench):
        return
    changed, plain = (Part(*first_samples(bench, *of)[1:]) for of in ((bench.train, "train"), (bench.val, "val")))
    if not len(changed) or not len(plain) or changed.x.shape[1:] != plain.x.shape[1:]:
        return
    material = Material({"train": plain, "changed": changed})
    x, y = material.features["train"], material.labels("train")
    lessons, its = material.features["changed"], material.labels("changed")
    if material.kind == "ids" or min(len(y), len(its)) < 2 * LEAST:
        return
    of_plain = _twofold(x, y, x, y, material)
    chance = float(np.bincount(y).max() / len(y))
    if of_plain - chance < TRUSTED * (1 - chance):
        return  # a small model knows too little of these data to be asked
    whole = of_plain - chance
    yield Measurement("label_kept", (_twofold(lessons, its, x, y, material) - chance) / whole, STEP)
    yield Measurement("label_told", (_twofold(lessons, its, lessons, its, material) - chance) / whole, STEP)
    learn, ask = slice(0, None, 2), slice(1, None, 2)
    reach = reach_of(x[learn], y[learn], x[ask], y[ask])
    yield Measurement("relabelled_share", worst(relabelled(x[learn], y[learn], x[ask], y[ask], reach), y[ask]))
    yield Measurement("relabelled_share", worst(relabelled(x[learn], y[learn], lessons, its, reach), its), STEP)


def _twofold(lessons: Any, its: Any, x: Any, y: Any, material: Material) -> float:
    """Half of `lessons` is learnt from, as many as half of validation; the other half of (x, y) is asked. Both ways."""
    size = len(material.train) // 2
    halves = (slice(0, None, 2), slice(1, None, 2))
    right = [
        taught(lessons[one][:size], its[one][:size], x[other], y[other], material)
        for one, other in (halves, halves[::-1])
    ]
    return float(np.mean(right))


def _varies(loader: Loader | None, bench: Bench) -> bool:
    """Does the first sample come out different when it is read again?"""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return False
    with preserved(bench.original):
        seeded(0)
        first, *others = ([t.clone() for t in _tensors(loader.dataset[0])] for _ in range(DRAWS))
    return any(not torch.equal(a, b) for other in others for a, b in zip(first, other))


def _tensors(item: Any) -> list[Tensor]:
    """NaN is not equal to itself."""
    return [torch.as_tensor(t).nan_to_num() for t in tensors_in(item)]
