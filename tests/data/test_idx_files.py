"""The files of MNIST and its relatives: read when they are whole, named one by one when they are not."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from torchdoctor.data.fashion_mnist import fashion_mnist
from torchdoctor.data.idx import FILES
from torchdoctor.data.mnist import mnist
from torchdoctor.errors import BadParts

SHARED = Path(__file__).parents[3] / "shared" / "data"  # real data sets, kept beside the project where there are any


def there(name: str) -> str:
    if not (SHARED / name).is_dir():
        pytest.skip(f"the real {name} is not beside the project")
    return str(SHARED / name)


def write(folder: Path, packed: bool = True, counts: tuple[int, int] = (6, 3)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for file, dimensions in FILES.items():
        n = counts["t10k" in file]
        sizes = (n, 5, 4)[:dimensions]
        values = random.integers(0, 10 if dimensions == 1 else 256, sizes, np.uint8)
        data = bytes((0, 0, 8, dimensions)) + struct.pack(f">{dimensions}I", *sizes) + values.tobytes()
        (folder / (file + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inside", ["", "raw", "MNIST/raw"])
def test_files_are_found_where_people_keep_them(tmp_path, packed, inside):
    write(tmp_path / inside, packed)
    splits = mnist(str(tmp_path))
    assert splits.train_x.shape == (6, 1, 5, 4) and splits.test_x.shape == (3, 1, 5, 4) and splits.val_x is None
    assert splits.train_x.dtype == torch.uint8 and splits.train_y.dtype == torch.int64


def test_values_are_those_in_the_file(tmp_path):
    write(tmp_path)
    raw = gzip.decompress((tmp_path / "train-images-idx3-ubyte.gz").read_bytes())
    assert mnist(str(tmp_path)).train_x.numpy().tobytes() == raw[16:]


def cut_gzip(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def flip_a_bit(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 16
    file.write_bytes(bytes(raw))


def not_gzip(file: Path) -> None:
    file.write_bytes(b"<html>404 Not Found</html>")


def other_kind(file: Path) -> None:
    file.write_bytes(gzip.compress(bytes((0, 0, 13, 3)) + bytes(40)))


def too_long(file: Path) -> None:
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + bytes(20)))


@pytest.mark.parametrize("damage", [cut_gzip, flip_a_bit, not_gzip, other_kind, too_long, Path.unlink])
def test_a_damaged_file_is_named_in_one_line_with_what_to_do(tmp_path, damage):
    write(tmp_path)
    damage(tmp_path / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(BadParts, match=r"t10k-images-idx3-ubyte\.gz is .*Get it with") as refused:
        mnist(str(tmp_path))
    assert "\n" not in str(refused.value) and "labels" not in str(refused.value)


def test_images_and_labels_of_two_data_sets_do_not_mix(tmp_path):
    write(tmp_path)
    labels = (tmp_path / "train-labels-idx1-ubyte.gz").read_bytes()
    write(tmp_path, counts=(7, 3))
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(labels)
    with pytest.raises(BadParts, match="7 train images but 6 labels"):
        mnist(str(tmp_path))


def test_a_missing_folder_says_how_to_get_the_data(tmp_path):
    with pytest.raises(BadParts, match="no folder"):
        mnist(str(tmp_path / "nowhere"))
    with pytest.raises(BadParts, match=r"--set data\.root"):
        fashion_mnist(None)


def test_the_real_mnist_and_fashion_mnist_are_read_whole():
    for read, name in ((mnist, "mnist"), (fashion_mnist, "fashion_mnist")):
        splits = read(there(name))
        assert splits.train_x.shape == (60000, 1, 28, 28) and splits.test_x.shape == (10000, 1, 28, 28)
        assert splits.train_y.bincount().shape == (10,)


def test_a_real_broken_download_is_told_with_what_is_left_of_it():
    with pytest.raises(BadParts) as refused:
        mnist(there("kmnist_truncated_download"))
    said = str(refused.value)
    assert "promises 10,000 samples, it holds 105" in said and "train-images-idx3-ubyte.gz is missing" in said
    assert "\n" not in said
