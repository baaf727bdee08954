"""Samples in a plane, with what shows each: plain values that are kept beside a run, for the projector's page.

May not: write files, judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from torchdoctor.data.batch import batches_of, first_tensor
from torchdoctor.errors import BadParts
from torchdoctor.evaluate.answers import picked
from torchdoctor.evaluate.naming import Naming
from torchdoctor.evaluate.reading import reading_of
from torchdoctor.examine.material import Material
from torchdoctor.examine.samples_shown import unit_picture
from torchdoctor.explain.embedding import Plane, embedded, projected
from torchdoctor.parts import Loader
from torchdoctor.show.picture import picture
from torchdoctor.show.words import number

MOST = 500  # points: what t-SNE places in seconds, and an eye can take in
SIDE = 56  # pixels of a sample's picture

Shown = dict[str, Any]  # {"name", "truth", "guess", and "picture" or "row"} of a sample


def of_answers(model: nn.Module, loader: Loader, naming: Naming, on: str) -> dict[str, Any]:
    """How the model sees samples of an evaluated part. Where that cannot be had: {"left_out": why}."""
    try:
        count = sum(batch.size for batch in batches_of(loader, on))
        rows = _spread(count)
        inputs, target = picked(loader, rows, on)
        seen = embedded(model, inputs)
        reading = reading_of(first_tensor(seen.output), first_tensor(target))
        if reading.kind != "classes":
            raise BadParts("the answers are no classes, which points could be coloured by")
        truth = reading.truth(first_tensor(target)).tolist()
        guess = reading.log_odds(first_tensor(seen.output)).argmax(1).tolist()
        named = [(_class(naming.classes, t), _class(naming.classes, g)) for t, g in zip(truth, guess)]
        samples = _samples(first_tensor(inputs), naming, on, rows, named)
        return _plain(projected(seen.features), seen.layer, samples)
    except BadParts as why:
        return {"left_out": str(why)}


def of_material(material: Material) -> dict[str, Any]:
    """Training samples as they are, before any network: by the few dozen numbers that their neighbours are found by."""
    try:
        if material.task != "classes":
            raise BadParts("the targets are no classes, which points could be coloured by")
        rows = _spread(len(material.train))
        named = [_class(material.classes or (), int(c)) for c in material.labels("train")[rows]]
        samples = [
            {"name": material.name("train", row), "truth": truth, "guess": truth, **_of_material(material, row)}
            for row, truth in zip(rows, named)
        ]
        return _plain(projected(np.asarray(material.features["train"], np.float64)[rows]), "", samples)
    except BadParts as why:
        return {"left_out": str(why)}


def _plain(plane: Plane, layer: str, samples: Sequence[Shown]) -> dict[str, Any]:
    return {"layer": layer, "explained": list(plane.explained), "pca": plane.pca.round(4).tolist(),
            "tsne": plane.tsne.round(3).tolist(), "samples": list(samples)}  # fmt: skip


def _spread(count: int) -> list[int]:
    """At most MOST of them, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(int)).tolist()  # type: ignore[no-any-return]


def _samples(
    x: torch.Tensor, naming: Naming, on: str, rows: Sequence[int], named: Sequence[tuple[str, str]]
) -> list[Shown]:
    pictures = x.ndim == 4 and x.is_floating_point()
    low, high = (float(x.min()), float(x.max())) if pictures else (0.0, 1.0)
    return [
        {"name": naming.sample(on, row), "truth": truth, "guess": guess,
         **({"picture": picture(one.cpu().numpy(), low, high, SIDE)} if pictures else {"row": naming.row(one)})}
        for row, one, (truth, guess) in zip(rows, x, named)
    ]  # fmt: skip


def _of_material(material: Material, row: int) -> Shown:
    if material.kind == "pictures":
        return {"picture": picture(unit_picture(material, "train", row), 0, 1, SIDE)}
    return {"row": ", ".join(number(v) for v in material.train.x[row].flatten()[:12].tolist())}


def _class(names: Sequence[str], c: int) -> str:
    return str(names[c]) if 0 <= c < len(names) else str(c)
