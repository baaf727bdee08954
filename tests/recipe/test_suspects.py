"""Labels that an examination doubts are left out of training or put right; other samples stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from torchdoctor.errors import BadRecipe, BadRun
from torchdoctor.examine.examine import examine
from torchdoctor.examine.reading import material_of
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.run import Writer

MINE = """
import torch

def blobs(wrong=8):
    draw = torch.Generator().manual_seed(0)
    y = torch.arange(160) % 2
    x = torch.randn(160, 4, generator=draw) + 4 * y[:, None]
    y[:wrong] = 1 - y[:wrong]
    return x, y
"""


@pytest.fixture
def recipe(module_of: Callable[[str], str]) -> Recipe:
    return Recipe.from_dict({
        "data": {"name": f"{module_of(MINE)}:blobs"}, "model": {"name": "mlp"}, "train": {"device": "cpu"},
    })  # fmt: skip


def wrong(recipe: Recipe) -> int:
    """Training samples that bear the other class's label; the classes lie on both sides of 8."""
    splits = recipe.prepared().splits
    return int(((splits.train_x.sum(1) > 8).long() != splits.train_y).sum())


def test_suspects_are_left_out_or_relabelled(recipe: Recipe) -> None:
    pytest.importorskip("cleanlab")
    rows = examine(material_of(recipe), Path("examined")).facts["label_suspect_rows"]
    pruned, relabelled = (recipe.patched({"data.suspects": "examined", "data.relabel": r}) for r in (False, True))
    before, few, turned = (made.prepared().splits for made in (recipe, pruned, relabelled))
    assert wrong(recipe) >= 4 and max(wrong(pruned), wrong(relabelled)) <= wrong(recipe) / 2
    kept = [row for row in range(len(before.train_y)) if row not in rows]
    assert torch.equal(few.train_x, before.train_x[kept]) and torch.equal(few.train_y, before.train_y[kept])
    assert torch.equal(turned.train_y[rows], 1 - before.train_y[rows]) and len(turned.train_y) == len(before.train_y)
    assert torch.equal(few.val_y, before.val_y) and torch.equal(few.test_x, before.test_x)


def test_an_examination_of_other_data_or_of_no_labels_is_refused(recipe: Recipe) -> None:
    writer = Writer(Path("empty"))
    writer.close()
    with pytest.raises(BadRun, match="Examine the data first"):
        recipe.patched({"data.suspects": "empty"}).prepared()
    writer = Writer(Path("other"))
    writer.fact("label_suspect_rows", [3])
    writer.fact("label_suspect_classes", [1])
    writer.close()
    with pytest.raises(BadRun, match="is of other data: it saw 0 training samples"):
        recipe.patched({"data.suspects": "other"}).prepared()
    with pytest.raises(BadRecipe, match="needs to know which"):
        recipe.patched({"data.relabel": True})
