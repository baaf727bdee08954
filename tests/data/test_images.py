"""Folders of pictures and texts: what is odd is made even when asked, and told by name when not."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from torchdoctor.data.images import images
from torchdoctor.data.pictures import Pictures, as_tensor, channels_of, decoding, opened
from torchdoctor.data.preparation import Preparation, fitted
from torchdoctor.data.samples import as_divided
from torchdoctor.data.texts import texts
from torchdoctor.errors import BadParts

SHARED = Path(__file__).parents[3] / "shared" / "data"  # real data sets, kept beside the project where there are any
QUIRKS = SHARED / "image_file_quirks"


def there(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the real {path.name} is not beside the project")
    return path


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (6, 4), value: int = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (value,) * len(Image.new(mode, (1, 1)).getbands()) if mode != "L" else value).save(path)


def zoo(root: Path, parts: tuple[str, ...] = ("",)) -> Path:
    for part in parts:
        for value, animal in enumerate(("cat", "dog"), 1):
            for i in range(3):
                picture(root / part / animal / f"{i}.png", value=10 * value + i)
    return root


def refused(root: Path, read=images, **options) -> str:
    with pytest.raises(BadParts) as error:
        read(str(root), **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_folders_are_classes_and_files_are_samples(tmp_path):
    data = images(str(zoo(tmp_path)))
    assert data.x.shape == (6, 3, 4, 6) and data.x.dtype == torch.uint8 and data.classes == ("cat", "dog")
    assert data.y.tolist() == [0, 0, 0, 1, 1, 1] and data.x[:, 0, 0, 0].tolist() == [10, 11, 12, 20, 21, 22]
    assert data.names.tolist()[0] == "cat/0.png" and data.part is None and not data.skipped


def test_folders_of_parts_are_kept_apart(tmp_path):
    data = images(str(zoo(tmp_path, ("train", "Valid", "test"))))
    train, val, test = as_divided(data)
    assert len(train) == len(val) == len(test) == 6
    assert {name.split("/")[0] for name in val.names} == {"Valid"} and test.y.tolist() == [0, 0, 0, 1, 1, 1]


def test_sizes_and_modes_are_brought_together_when_asked(tmp_path):
    zoo(tmp_path)
    picture(tmp_path / "cat" / "grey.png", "L", (9, 9))
    picture(tmp_path / "dog" / "clear.png", "RGBA", (20, 10))
    assert images(str(tmp_path), size=5, channels=1).x.shape == (8, 1, 5, 5)
    assert images(str(tmp_path), size=(3, 7), channels=3).x.shape == (8, 3, 3, 7)


def test_sizes_and_modes_that_differ_are_told_in_one_line_with_a_file_of_each(tmp_path):
    zoo(tmp_path)
    picture(tmp_path / "cat" / "grey.png", "L", (9, 9))
    said = refused(tmp_path)
    assert "cat/0.png has 3, cat/grey.png has 1): set data.channels" in said
    assert "cat/0.png has 4 x 6, cat/grey.png has 9 x 9): set data.size" in said
    assert "channels" not in refused(tmp_path, channels=3) and "size" not in refused(tmp_path, size=8)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda r: None, "holds no class folders"),
        (lambda r: picture(r / "a.png"), "holds no class folders"),
        (lambda r: (zoo(r), (r / "empty").mkdir()), "empty holds no pictures"),
        (lambda r: zoo(r, ("train", "test")) and picture(r / "test" / "zebra" / "0.png"), "train lacks zebra."),
        (lambda r: zoo(r, ("train", "val")) and picture(r / "train" / "zebra" / "0.png"), "val lacks zebra."),
        (lambda r: zoo(r, ("train", "test", "extra")), "extra, test, train: folders of parts and others"),
        (lambda r: zoo(r, ("train", "val", "valid")), "folders of parts and others beside each other"),
    ],
)
def test_folders_that_cannot_be_used_are_told_in_one_line(tmp_path, make, said):
    make(tmp_path)
    assert said in refused(tmp_path)


def test_a_root_that_is_missing_or_a_file_is_told(tmp_path):
    (tmp_path / "f").write_text("")
    assert "is not there" in refused(tmp_path / "nowhere") and "is a file" in refused(tmp_path / "f")
    with pytest.raises(BadParts, match=r"data\.root is missing"):
        images()


def test_unreadable_pictures_are_named_and_can_be_left_out(tmp_path):
    zoo(tmp_path)
    (tmp_path / "cat" / "bad.jpg").write_bytes(b"<html>404</html>")
    (tmp_path / "cat" / "notes.txt").write_text("hello")
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"")
    assert "1 of 7 pictures cannot be read: cat/bad.jpg" in refused(tmp_path)
    data = images(str(tmp_path), unreadable="skip")
    assert len(data) == 6 and data.skipped[0].startswith("cat/bad.jpg") and data.skipped[1].startswith("cat/notes.txt")
    assert len(data.skipped) == 2


def expected() -> list[dict[str, str]]:
    return list(csv.DictReader((there(QUIRKS) / "expected_pillow_13_0_0.csv").read_text().splitlines()))


def test_each_of_the_odd_files_loads_or_is_refused_as_it_should():
    rows = expected()
    assert len(rows) == 55
    for row in rows:
        with decoding():
            if row["loads"] == "1":
                image = opened(QUIRKS / row["file"])
                assert (image.width, image.height) in (
                    (int(row["width"]), int(row["height"])),
                    (int(row["height"]), int(row["width"])),
                )
                for channels in (1, 3, 4):
                    assert as_tensor(image, channels, (8, 8)).shape == (channels, 8, 8), row["file"]
                assert as_tensor(image).shape[0] == channels_of(image)
            else:
                with pytest.raises(BadParts, match=row["error"]) as error:
                    opened(QUIRKS / row["file"])
                assert row["file"] in str(error.value) and "\n" not in str(error.value)


def test_a_folder_of_odd_files_is_read_but_for_the_twelve_that_are_no_pictures(tmp_path):
    names = [row["file"] for row in expected()]
    for i, name in enumerate(names):
        folder = tmp_path / ("even", "odd")[i % 2]
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes((QUIRKS / name).read_bytes())
    assert "12 of 55 pictures cannot be read" in refused(tmp_path, size=16, channels=3)
    data = images(str(tmp_path), size=16, channels=3, unreadable="skip")
    assert data.x.shape == (43, 3, 16, 16) and len(data.skipped) == 12


def test_a_camera_held_sideways_gives_an_upright_picture():
    there(QUIRKS)
    upright = as_tensor(opened(QUIRKS / "hopper.jpg")).float()
    for turned in range(2, 9):
        file = QUIRKS / f"hopper_orientation_{turned}.jpg"
        with Image.open(file) as image:
            as_held = as_tensor(image).float()
        near, far = ((picture - upright).abs().mean() for picture in (as_tensor(opened(file)).float(), as_held))
        assert near < 6 and far > 20, turned  # near, not equal: it was saved as JPEG once more


def test_deep_and_lab_pictures_look_like_their_plain_twins():
    there(QUIRKS)
    plain = as_tensor(opened(QUIRKS / "hopper.png")).float()
    assert (as_tensor(opened(QUIRKS / "hopper.Lab.tif")).float() - plain).abs().mean() < 6
    ramp = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    assert as_tensor(Image.fromarray(ramp))[0].tolist() == (ramp // 257).tolist()


def test_what_is_transparent_lies_on_white():
    clear = Image.new("RGBA", (1, 1), (0, 0, 0, 0))
    assert as_tensor(clear, 3).flatten().tolist() == [255] * 3 and as_tensor(clear, 1).item() == 255
    assert as_tensor(clear).flatten().tolist() == [0] * 4


def test_a_service_reads_files_bytes_and_images_as_training_did(tmp_path):
    data = images(str(zoo(tmp_path)), size=5)
    preparation, x = fitted(data, scale="standard")
    preparation.save(tmp_path / "p")
    again = Preparation.load(tmp_path / "p")
    files = [tmp_path / name for name in data.names]
    assert torch.equal(again(files), x) and torch.equal(again([f.read_bytes() for f in files]), x)
    assert torch.equal(again([Image.open(io.BytesIO(files[0].read_bytes()))]), x[:1])
    with pytest.raises(BadParts, match="cannot be read as a picture"):
        again([b"no picture"])
    assert Pictures((5, 5), 3) == again.reader


def test_the_real_cifar_folders_are_read(tmp_path):
    with tarfile.open(there(SHARED / "cifar10" / "cifar10_imagefolder_sample.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    train, val, test = as_divided(images(str(next(tmp_path.iterdir()))))
    assert train.x.shape == (1000, 3, 32, 32) and val is None and len(test) == 300
    assert train.classes[0] == "airplane" and torch.bincount(train.y).tolist() == [100] * 10


def test_texts_are_read_by_class_folder(tmp_path):
    for name, words in (("bad/1.txt", "Straße"), ("good/1.txt", "hello there"), ("good/2.md", "hi")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(words, "utf-8")
    data = texts(str(tmp_path))
    assert data.x["text"].tolist() == ["Straße", "hello there", "hi"] and data.classes == ("bad", "good")
    assert fitted(data)[1].dtype == torch.int64
    (tmp_path / "good" / "3.txt").write_bytes(b"caf\xe9")
    assert "data.args.encoding" in refused(tmp_path, texts) and len(texts(str(tmp_path), encoding="latin-1")) == 4
    assert "data.name: table" in refused(tmp_path / "good" / "2.md", texts)
    (tmp_path / "empty").mkdir()
    assert "holds no text files" in refused(tmp_path, texts)
