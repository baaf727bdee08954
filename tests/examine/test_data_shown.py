"""Contact sheet and page: what is drawn is what training would see, and names from outside are no markup."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadRun
from torchdoctor.examine.examine import examine
from torchdoctor.examine.material import Material
from torchdoctor.examine.reading import material_of
from torchdoctor.examine.samples_shown import changed_samples, unit_picture
from torchdoctor.judge.judge import judge
from torchdoctor.judge.trace import Trace
from torchdoctor.recipe.schema import Recipe
from torchdoctor.show.contact_sheet import SheetRow, contact_sheet, write_sheet
from torchdoctor.show.data_page import sheet_png, write_data
from torchdoctor.show.data_text import class_rows, print_data, remarks, tables


def material(*augment: object, limit: int = 400) -> Material:
    return material_of(Recipe.from_dict({"data": {"augment": list(augment), "limit": limit}}))


@pytest.fixture(scope="module")
def noisy() -> tuple[Material, Trace]:
    """Digits with a few wrong labels, twins and a class with a hostile name."""
    digits = material("rotate", limit=600)
    x, y = digits.train.x.clone(), digits.train.y.clone()
    y[:12] = (y[:12] + 1) % 10
    x[20:24] = x[30:34]
    parts = {**digits.parts, "train": replace(digits.train, x=x, y=y)}
    given = replace(digits, parts=parts, classes=("<b>0</b>", *"123456789"))
    return given, examine(given)


def test_a_contact_sheet_shows_the_sample_its_steps_and_the_whole_policy() -> None:
    changed = changed_samples(material("rotate", {"noise": {"std": 0.3}}), samples=4, copies=5)
    assert [c.label for c in changed] == ["0", "1", "2", "3"]  # of different classes
    assert all([name for name, _ in c.by_step] == ["rotate", "noise"] and len(c.copies) == 5 for c in changed)
    assert all(not np.allclose(p, c.original) for c in changed for _, p in (*c.by_step, *c.copies))
    image = Image.open(io.BytesIO(sheet_png(changed, "title")))
    assert image.format == "PNG" and image.width > 8 * 96 and image.height > 4 * 96


def test_the_same_seed_draws_the_same_sheet() -> None:
    one, two = (sheet_png(changed_samples(material("rotate", "noise")), "t") for _ in range(2))
    assert one == two


def test_the_original_is_drawn_as_it_was_read() -> None:
    given = material("rotate")
    changed = changed_samples(given, samples=1)[0]
    raw = given.train.x[changed.row, 0].numpy() / 255
    assert np.allclose(changed.original[0], raw, atol=1e-3)
    image = np.asarray(Image.open(io.BytesIO(contact_sheet("t", [SheetRow("x", changed.original, [])]))))
    top, left, side = 32, 6, 12  # pixels of the sheet; a picture of 8 x 8 is enlarged twelve times
    drawn = image[top + side // 2 : top + 8 * side : side, left + side // 2 : left + 8 * side : side, 0]
    assert np.allclose(drawn, 255 * raw, atol=1)


def test_under_a_mixed_sample_stand_the_shares_of_its_classes() -> None:
    changed = changed_samples(material({"mixup": {"alpha": 5}}), samples=3, copies=3)
    captions = [caption for c in changed for caption, _ in c.copies]
    assert all(re.fullmatch(r"\d+% \d(, \d+% \d)?", caption) for caption in captions), captions
    assert any("," in caption for caption in captions)


def test_there_is_no_sheet_without_a_policy_or_of_a_table() -> None:
    assert changed_samples(material()) == []
    rows = Material.of(Splits(torch.rand(20, 3), torch.rand(20)), policy=material("noise").policy)
    assert changed_samples(rows) == []


def test_colours_stay_colours_and_a_title_that_is_too_long_is_cut() -> None:
    red = np.zeros((3, 4, 4))
    red[0] = 1
    image = Image.open(io.BytesIO(contact_sheet("word " * 200, [SheetRow("a\nb", red, [red], ["c"])])))
    assert image.convert("RGB").getpixel((10, 40)) == (255, 0, 0) and image.width < 700


def test_a_sheet_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadRun, match="Cannot write"):
        write_sheet(tmp_path / "file" / "sheet.png", b"")


def test_a_sample_of_any_part_is_drawn_between_trainings_black_and_white() -> None:
    given = material()
    drawn = unit_picture(given, "val", 3)
    assert np.allclose(drawn, given.parts["val"].x[3].numpy() / 255, atol=1e-3)


def test_the_page_holds_suspects_twins_and_the_sheet_and_needs_nothing_else(
    noisy: tuple[Material, Trace], tmp_path: Path
) -> None:
    given, trace = noisy
    path = write_data(trace, judge(trace), given, tmp_path / "page.html", title="a <i>title</i>",
                      changed=changed_samples(given, samples=2, copies=1))  # fmt: skip
    page = path.read_text("utf-8")
    for section in ("Findings", "Parts", "Classes", "Augmentation", "Label suspects", "Duplicates"):
        assert f"{section}</h2>" in page
    assert "noisy-labels" in page and page.count("data:image/png;base64,") > 10
    assert "<b>0</b>" not in page and "&lt;b&gt;0&lt;/b&gt;" in page and "<i>title</i>" not in page
    assert page.count("<script") == 1 and "script-src &#39;sha256-" in page, "day and night, and nothing else"
    assert not re.search(r"https?://|src=\"(?!data:)", page)


def test_the_page_of_rows_shows_numbers(tmp_path: Path) -> None:
    given = material_of(Recipe.from_dict({"data": {"name": "breast-cancer"}}))
    trace = examine(given)
    page = write_data(trace, judge(trace), given, tmp_path / "page.html", title="rows").read_text("utf-8")
    assert "Outliers</h2>" in page and "<img" not in page and "<code>" in page


def test_the_terminal_says_what_is_there_and_when_it_looked_at_a_sample_only(
    noisy: tuple[Material, Trace], capsys: pytest.CaptureFixture[str]
) -> None:
    _, trace = noisy
    print_data(trace, "digits")
    said = capsys.readouterr().out
    assert "<b>0</b>" in said and "1 x 8 x 8" in said and "Augmentation rotate" in said and "\x1b" not in said
    assert "drawn from" not in said
    part = Trace.of(trace.facts, suspect_samples=100, label_suspects=3, part_samples={"train": 600})
    assert "Label suspects: 3 of 100 looked at, drawn from 600." in list(remarks(part))
    assert [head[0] for head, _ in tables(trace)] == ["part", "class", "part"]


def test_of_many_classes_the_most_frequent_and_the_rarest_are_shown() -> None:
    rows = class_rows({"train": list(range(100)), "val": [1] * 100})
    assert [c for c, _ in rows[:2]] == [99, 98] and rows[-1] == (0, ("0", "1")) and len(rows) == 20
