"""How many samples, of what shape and range, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material, Part
from torchdoctor.record.measurement import Fact, Measurement

PIECE = 4_000_000  # numbers looked at together
COLUMNS = 200  # of a table, described one by one
NAMED = 20  # samples and features named at most; a person looks at a few


@examination(
    order=0,
    measures={
        "samples": "samples: of each part",
        "samples_read": "samples: of each part, that were looked at",
        "input_nonfinite_share": '0..1: samples with NaN or infinity; subjects "" (train), "val" and "test"',
        "target_nonfinite_share": "0..1: training samples whose target holds NaN or infinity",
        "constant_feature_share": "0..1: features (columns, channels) with the same value in every training sample",
        "unreadable_files": "files: that were left out because they cannot be read",
    },
)
def overview(material: Material) -> Iterator[Measurement | Fact]:
    """Counts, shapes, ranges, missing values and features that never vary, of every sample of every part."""
    bad: dict[str, list[int]] = {"val": []}
    for name, part in material.parts.items():
        yield Measurement("samples", len(part), name)
        yield Measurement("samples_read", len(part), name)
        rows = _not_finite(part.x)
        yield Measurement("input_nonfinite_share", len(rows) / len(part), "" if name == "train" else name)
        bad[name] = rows[:NAMED]
    targets = _not_finite(material.train.y)
    yield Measurement("target_nonfinite_share", len(targets) / len(material.train))
    yield Fact("nonfinite_samples", {**bad, "train_targets": targets[:NAMED]})
    constant = _constant(material.train.x)
    if material.kind != "ids":
        yield Measurement("constant_feature_share", float(constant.double().mean()))
        yield Fact("constant_features", constant.nonzero().flatten().tolist()[:NAMED])
    yield Measurement("unreadable_files", len(material.skipped))
    yield Fact("unreadable_files", list(material.skipped[:NAMED]))
    yield Fact("data", {"kind": material.kind, "task": material.task, "classes": list(material.classes or ())})
    if material.kind == "rows" and material.train.x.ndim == 2:
        yield Fact("columns", _columns(material))
    yield Fact("missing", {part: dict(of) for part, of in material.missing.items()})
    yield Fact("parts", {name: _described(part) for name, part in material.parts.items()})


def _not_finite(values: Tensor) -> list[int]:
    """Rows that hold NaN or infinity."""
    if not values.is_floating_point():
        return []
    rows: list[int] = (
        (~values.isfinite().flatten(1 if values.ndim > 1 else 0).reshape(len(values), -1).all(1))
        .nonzero()
        .flatten()
        .tolist()
    )
    return rows


def _constant(x: Tensor) -> Tensor:
    """(features,): columns of rows, channels of pictures."""
    flat = x.flatten(2).movedim(1, 2).flatten(0, 1) if x.ndim > 2 else x.reshape(len(x), -1)
    same: Tensor = (
        (flat == flat[:1]) | (flat.isnan() if flat.is_floating_point() else torch.zeros(1, dtype=torch.bool))
    ).all(0)
    return same


def _columns(material: Material) -> list[dict[str, Any]]:
    """Of each column in training, the first `COLUMNS` of them."""
    x, names = material.train.x, material.columns
    return [
        {"name": names[c] if names is not None else str(c), **_moments(x[:, c])}
        for c in range(min(COLUMNS, x.shape[1]))
    ]


def _described(part: Part) -> dict[str, Any]:
    return {
        "samples": len(part), "shape": list(part.x.shape[1:]), "dtype": str(part.x.dtype).removeprefix("torch."),
        **_moments(part.x), "target": _moments(part.y),
    }  # fmt: skip


def _moments(values: Tensor) -> dict[str, float]:
    """Of all finite numbers, in double precision, a piece at a time; zeros where there are none."""
    flat = values.flatten()
    low, high, count, total, squares = math.inf, -math.inf, 0, 0.0, 0.0
    shift = float(flat[:PIECE].double().nan_to_num(0, 0, 0).mean())  # near the mean, so that squares cost no digits
    for piece in torch.split(flat, PIECE):
        finite = piece[piece.isfinite()].double()
        if len(finite):
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            count, total = count + len(finite), total + float((finite - shift).sum())
            squares += float((finite - shift).square().sum())
    if not count:
        return dict.fromkeys(("min", "max", "mean", "std"), 0.0)
    off = total / count
    return {"min": low, "max": high, "mean": shift + off, "std": math.sqrt(max(0.0, squares / count - off**2))}
