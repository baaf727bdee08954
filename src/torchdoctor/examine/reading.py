"""The data of a recipe, as material to examine: as they are read, before they are scaled.

May not: judge, scale, change what training will see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from torchdoctor.data.batch import as_batch
from torchdoctor.data.columns import Columns, is_missing
from torchdoctor.data.names import DATA
from torchdoctor.data.preparation import fitted
from torchdoctor.data.prepared import Prepared
from torchdoctor.data.samples import Divided, Samples
from torchdoctor.errors import BadParts, one_line
from torchdoctor.examine.material import PARTS, Material, Part
from torchdoctor.recipe.imports import imported, takes
from torchdoctor.recipe.makers.augment import made_policy
from torchdoctor.recipe.makers.data import read_data
from torchdoctor.recipe.schema import Recipe

STRANGER = "by its name."  # ends what sources say of a file that was never meant to be read
READ = 20_000  # samples read of each data set of the user's own, one by one


def material_of(recipe: Recipe) -> Material:
    """All parts of a recipe's data. Raises BadRecipe or BadParts where they cannot be read."""
    policy = made_policy(recipe) if recipe.data.augment else None
    given = read_data(_forgiving(recipe))
    if isinstance(given, Divided):
        return divided_material(given, policy=policy, seed=recipe.seed)
    if isinstance(given, Prepared):
        return Material.of(given.splits, classes=given.classes, skipped=given.skipped, names=given.names, policy=policy,
                           seed=recipe.seed)  # fmt: skip
    read = {name: _part(name, data) for name, data in zip(PARTS, given.parts) if data is not None}
    unreadable = given.skipped + tuple(line for _, lines in read.values() for line in lines)
    parts = {name: part for name, (part, _) in read.items()}
    return Material(parts, classes=given.classes, skipped=unreadable, policy=policy, seed=recipe.seed)


def _forgiving(recipe: Recipe) -> Recipe:
    """The recipe whose source leaves out what it cannot read, and names it, rather than refusing: all else is to be
    examined too."""
    source = imported(recipe.data.name, DATA, "data.name")
    if not takes(source, "unreadable") or "unreadable" in recipe.data.args:
        return recipe
    return recipe.patched({"data.args": {**recipe.data.args, "unreadable": "skip"}})


def divided_material(data: Divided, **more: Any) -> Material:
    """Tables become numbers (missing ones filled, words one-hot) and texts word ids, by what training samples say."""
    train = data.train
    preparation, _ = fitted(train) if isinstance(train.x, dict) else (None, None)
    parts = {
        name: Part(preparation(part.x) if preparation is not None else _tensor(part), part.y, part.names)
        for name, part in zip(PARTS, data)
        if part is not None
    }
    known = {name: _missing(part.x) for name, part in zip(PARTS, data) if part is not None and isinstance(part.x, dict)}
    columns = preparation.features if preparation is not None else None
    broken = tuple(line for line in train.skipped if not line.endswith(STRANGER))
    return Material(parts, classes=train.classes, skipped=broken, missing=known, columns=columns, **more)


def _tensor(part: Samples) -> Tensor:
    assert isinstance(part.x, Tensor)
    return part.x


def _missing(columns: Columns) -> Mapping[str, int]:
    """Column -> samples that lack it."""
    return {name: sum(map(is_missing, values)) for name, values in columns.items()}


def _part(name: str, data: Dataset[Any]) -> tuple[Part, list[str]]:
    """Samples of a data set of the user's own, and why others cannot be read."""
    xs, ys, rows, failed = list[Tensor](), list[Tensor](), list[int](), list[str]()
    n = len(data)  # type: ignore[arg-type]  # a data set without a length has no parts either
    for row in np.unique(np.linspace(0, n - 1, min(n, READ)).astype(int)).tolist():
        try:
            inputs, target = as_batch(tuple(map(torch.as_tensor, data[row])), name)
        except BadParts:
            raise
        except Exception as error:  # noqa: BLE001 - what the user's own reader raises for a broken file
            failed.append(f"{name} {row}: {one_line(error)}")
            continue
        xs.append(inputs[0])
        ys.append(target)
        rows.append(row)
    if len({x.shape for x in xs}) != 1:
        shapes = ", ".join(sorted({str(tuple(x.shape)) for x in xs})[:4])
        raise BadParts(f"The {name} samples have different shapes ({shapes or 'none could be read'}); make them alike.")
    return Part(torch.stack(xs), torch.stack(ys), np.array([f"{name} {row}" for row in rows])), failed
