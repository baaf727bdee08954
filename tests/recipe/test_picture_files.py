"""Pictures that stay in their files train as those in memory do; a data set in one piece is divided by the recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from torchdoctor.data.picture_files import PictureFiles
from torchdoctor.data.preparation import BESIDE, Preparation
from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.in_order import in_order
from torchdoctor.evaluate.opened import Opened
from torchdoctor.evaluate.options import QUICK
from torchdoctor.examine.reading import material_of
from torchdoctor.recipe.build import Builder
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.run import train

MINE = """
import torch
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Grayscale, ToTensor

def folder(root):
    return ImageFolder(root, Compose([Grayscale(), ToTensor()]))

def unlabelled(root):
    return torch.utils.data.TensorDataset(torch.zeros(10, 1, 8, 8), torch.arange(10) % 2)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty dark and twenty light pictures."""
    draw = np.random.default_rng(0)
    for label, low in (("dark", 0), ("light", 120)):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for i in range(20):
            pixels = draw.integers(low, low + 130, (9, 9), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{i}.png")
    return tmp_path / "pictures"


def recipe(folder: Path, **patch: object) -> Recipe:
    usual = {
        "data": {"name": "images", "root": str(folder), "size": 8, "channels": 1, "scale": "standard", "batch_size": 8,
                 "args": {"lazy": True}},
        "model": {"name": "lenet5"}, "train": {"epochs": 4, "device": "cpu", "threads": 1}, "optimizer": {"lr": 0.1},
    }  # fmt: skip
    return Recipe.from_dict(usual).patched({key.replace("__", "."): value for key, value in patch.items()})


def test_pictures_in_their_files_are_those_in_memory(folder: Path) -> None:
    lazy, whole = Builder(recipe(folder)), Builder(recipe(folder, data__args={}))
    assert lazy.classes == whole.classes == ("dark", "light")
    assert [list(names) for names in lazy.made.names] == [list(names) for names in whole.made.names]
    for one, other in zip(lazy(0).val, whole(0).val):
        assert torch.allclose(one[0], other[0], atol=1e-5) and torch.equal(one[1], other[1])
    assert sorted(y for _, ys in lazy(0).train for y in ys.tolist()) == sorted(whole.data.train_y.tolist())


def test_a_run_on_them_learns_and_is_evaluated_with_what_was_saved_beside_it(folder: Path, tmp_path: Path) -> None:
    run = train(recipe(folder, data__workers=1), tmp_path / "run")
    assert run.history["val_score"][-1] == 1
    saved = Preparation.load(tmp_path / "run" / BESIDE)
    x = saved([folder / "dark" / "0.png"])
    assert x.shape == (1, 1, 8, 8) and saved.classes[int(run.model.eval()(x).argmax())] == "dark"
    opened = Opened.of(tmp_path / "run")
    found = evaluate(opened.model, opened.loader("test"), **opened.others("test"), options=QUICK)
    assert found.scores["train"].samples == 28 and opened.naming.sample("test", 0).endswith(".png")


def test_pictures_in_their_files_are_augmented_anew_in_each_pass_and_a_restored_loader_goes_on_exactly(
    folder: Path,
) -> None:
    described = recipe(folder, data__augment=["flip", {"shift": {"share": 0.2}}])
    one, other = described.experiment().build(3).train, described.experiment().build(3).train
    passes = [[x.clone() for x, _ in one] for _ in range(2)]
    assert passes[0][0].shape == (8, 1, 8, 8) and not torch.equal(passes[0][0], passes[1][0])
    going = iter(other)
    for _ in range(2):
        next(going)
    state = other.state_dict()
    twin = described.experiment().build(4).train
    twin.seed = one.seed
    twin.load_state_dict(state)
    assert all(torch.equal(a, b) for a, (b, _) in zip(passes[0][2:], twin, strict=True))
    assert all(torch.equal(a, b) for a, (b, _) in zip(passes[1], twin, strict=True))
    plain = in_order(one)
    assert torch.equal(next(iter(plain))[0], next(iter(in_order(recipe(folder).experiment().build(0).train)))[0])


def test_a_folder_that_comes_divided_stays_so(folder: Path) -> None:
    for part, names in (("train", range(15)), ("test", range(15, 20))):
        for label in ("dark", "light"):
            (folder / part / label).mkdir(parents=True)
            for i in names:
                (folder / label / f"{i}.png").rename(folder / part / label / f"{i}.png")
    for label in ("dark", "light"):
        (folder / label).rmdir()
    made = Builder(recipe(folder)).made
    assert {str(name).split("/")[0] for name in made.names[2]} == {"test"} and len(made.test) == 10
    assert len(made.train) + len(made.val) == 30


def test_torchvisions_folder_is_divided_class_by_class_and_tells_its_classes(
    folder: Path, module_of: Callable[[str], str]
) -> None:
    mine = module_of(MINE)
    plain = {"data__size": None, "data__channels": None, "data__scale": "none", "data__args": {}}
    builder = Builder(recipe(folder, data__name=f"{mine}:folder", **plain, data__limit=20))
    parts = builder(0)
    assert builder.classes == ("dark", "light") and parts.model(torch.zeros(1, 1, 9, 9)).shape == (1, 2)
    assert [len(part) for part in builder.made.parts] == [20, 8, 4]
    assert sorted(y for _, ys in parts.val for y in ys.tolist()) == [0] * 4 + [1] * 4
    unlabelled = Builder(recipe(folder, data__name=f"{mine}:unlabelled", **plain))
    assert [len(part) for part in unlabelled.made.parts] == [7, 2, 1]


def test_what_cannot_be_read_is_named_when_it_is_asked_for_or_left_out_before(folder: Path) -> None:
    (folder / "dark" / "7.png").write_bytes(b"no picture")
    with pytest.raises(BadParts, match=r"dark/7\.png cannot be read as a picture"):
        for _ in Builder(recipe(folder, data__scale="none"))(0).train:
            pass
    skipping = Builder(recipe(folder, data__args={"lazy": True, "unreadable": "skip"}))
    assert sum(len(part) for part in skipping.made.parts) == 39
    seen = material_of(recipe(folder))
    assert sum(len(part) for part in seen.parts.values()) == 39 and seen.classes == ("dark", "light")
    assert len(seen.skipped) == 1 and seen.skipped[0].startswith("dark/7.png cannot be read")


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"data__size": None}, "needs data.size and data.channels"),
        ({"data__features": ["whiten"]}, "data.features"),
        ({"data__workers": 2, "data__args": {}}, "data.workers = 2: images is in memory"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(folder: Path, patch: dict[str, object], said: str) -> None:
    with pytest.raises((BadRecipe, BadParts), match=said):
        recipe(folder, **patch).experiment().build(0)
    with pytest.raises(BadRecipe, match="one by one"):
        recipe(folder).prepared()


def test_a_picture_is_read_only_when_it_is_asked_for(folder: Path) -> None:
    whole = recipe(folder, data__scale="none", data__split=[0.5, 0.5, 0]).experiment().build(0).val.dataset.dataset
    assert isinstance(whole, PictureFiles) and len(whole) == 40
    for file in folder.rglob("*.png"):
        file.unlink()
    with pytest.raises(BadParts, match="cannot be read"):
        whole[0]
