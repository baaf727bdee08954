"""How well `torchdoctor data` finds what was planted: wrong labels, and twins across the split.

    python -m benchmarks.data_examination ../shared/data/mnist

Prints, for digits and for 5,000 training samples of MNIST, three seeds each: precision and recall of label suspects
with 2 % of the labels wrong; how many of 20 exact and 20 near twins (noise, exposure, JPEG) in validation are found.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from torchdoctor.data.splits import Splits
from torchdoctor.discover import discover
from torchdoctor.examine.examination import Examination
from torchdoctor.examine.material import Material
from torchdoctor.examine.reading import material_of
from torchdoctor.probes.probe import Fact
from torchdoctor.recipe.schema import Recipe

SEEDS, WRONG, TWINS = (0, 1, 2), 0.02, 20


def main(mnist: str) -> None:
    for name, data in (("digits", {"name": "digits"}), ("mnist", {"name": "mnist", "root": mnist, "limit": 5000})):
        material = material_of(Recipe.from_dict({"data": data}))
        clean = said("label-suspects", material)
        print(f"{name}, as it is: {len(clean['label_suspect_rows'])} suspects of {len(material.train):,}")
        for seed in SEEDS:
            print(f"{name}, seed {seed}: {suspects(material, seed)}; {twins(material, seed)}")


def said(examination: str, material: Material) -> dict[str, Any]:
    """The facts of one examination."""
    run = discover("examine", Examination)[examination].run
    return {item.name: item.value for item in run(material) if isinstance(item, Fact)}


def changed(material: Material, part: str, x: Tensor, y: Tensor) -> Material:
    pairs = [(x, y) if name == part else (of.x, of.y) for name, of in material.parts.items()]
    return Material.of(Splits(*(tensor for pair in pairs for tensor in pair)), classes=material.classes)


def suspects(material: Material, seed: int) -> str:
    random, y = np.random.default_rng(seed), material.train.y.clone()
    rows = random.choice(len(y), round(WRONG * len(y)), replace=False)
    y[rows] = (y[rows] + torch.from_numpy(random.integers(1, 10, len(rows)))) % 10
    found = said("label-suspects", changed(material, "train", material.train.x, y))["label_suspect_rows"]
    right = len(set(found) & set(rows.tolist()))
    return f"{len(rows)} wrong labels: precision {right / max(1, len(found)):.2f}, recall {right / len(rows):.2f}"


def twins(material: Material, seed: int) -> str:
    random, val = np.random.default_rng(seed), material.parts["val"]
    rows, there = (random.choice(n, 2 * TWINS, replace=False) for n in (len(val), len(material.train)))
    x, y, originals = val.x.clone(), val.y.clone(), material.train.x[there]
    x[rows], y[rows] = originals, material.train.y[there]
    for i in range(TWINS, 2 * TWINS):
        x[rows[i]] = disturbed(originals[i], i, random)
    given = changed(material, "val", x, y)
    exact = {tuple(p[1::2]) for p in said("duplicates", given)["duplicates"] if p[0] == "val"}
    near = {tuple(p[1::2]) for p in said("near-duplicates", given)["near_duplicates"] if p[0] == "val"}
    planted = list(zip(rows.tolist(), there.tolist()))
    equal, alike = len(exact & set(planted[:TWINS])), len((near | exact) & set(planted[TWINS:]))
    others = len((near | exact) - set(planted))
    return f"{equal} of {TWINS} twins, {alike} of {TWINS} near twins, {others} others of {len(val):,}"


def disturbed(picture: Tensor, kind: int, random: np.random.Generator) -> Tensor:
    """3 % noise, 8 % less exposure, or JPEG of quality 60."""
    values = picture.float()
    if kind % 3 == 0:
        values = values + torch.from_numpy(random.standard_normal(values.shape, np.float32)) * 0.03 * 255
    elif kind % 3 == 1:
        values = values * 0.92
    else:
        file = io.BytesIO()
        Image.fromarray(picture[0].numpy()).save(file, "JPEG", quality=60)
        values = torch.from_numpy(np.array(Image.open(file))).float()[None]
    return values.round().clamp(0, 255).to(torch.uint8)


if __name__ == "__main__":
    main(sys.argv[1])
