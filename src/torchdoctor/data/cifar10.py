"""CIFAR-10: 50,000 and 10,000 small colour pictures in ten classes, from the official files or a copy as JPEGs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from torchdoctor.data.downloads import fetch_cifar10
from torchdoctor.data.pickled import plain_pickle
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadParts, one_line

OFFICIAL = "cifar-10-batches-py"
TRAIN = tuple(f"data_batch_{i}" for i in range(1, 6))
TEST = ("test_batch",)
COPIES = ("cifar10_train_jpeg.npz", "cifar10_test_jpeg.npz")
GET = "Get the official files with data.download=true, or copy them there."


def cifar10(root: str | None = None, download: bool = False) -> Splits:
    """x: (N, 3, 32, 32) uint8, y: int64 0..9, training and test. Raises BadParts for what is missing or damaged.

    root: the folder of the official "python" files, or above it; or of cifar10_train_jpeg.npz and cifar10_test_jpeg.npz
    with the arrays jpeg (all files' bytes), offsets (N + 1) and labels (N). The official files are pickles; they are
    read with arrays and plain values allowed, and nothing else.

    Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """
    if root is None:
        raise BadParts(f"CIFAR-10 needs data.root, the folder that holds its files (--set data.root=...). {GET}")
    top = Path(root)
    if all((top / copy).is_file() for copy in COPIES):
        (train_x, train_y), (test_x, test_y) = (_from_jpegs(top / copy) for copy in COPIES)
        return Splits(train_x, train_y, None, None, test_x, test_y)
    if download:
        fetch_cifar10(root)
    folder = top / OFFICIAL if (top / OFFICIAL).is_dir() else top
    wrong: list[str] = []
    parts = [_from_batches(folder, names, wrong) for names in (TRAIN, TEST)]
    if wrong:
        raise BadParts(f"{folder} does not hold CIFAR-10: {'; '.join(wrong)}. {GET}")
    return Splits(*_joined(parts[0]), None, None, *_joined(parts[1]))


def _from_batches(folder: Path, names: tuple[str, ...], wrong: list[str]) -> list[tuple[Tensor, Tensor]]:
    batches = []
    for name in names:
        if not (folder / name).is_file():
            wrong.append(f"{name} is missing")
            continue
        try:
            batches.append(_batch(plain_pickle(folder / name), name))
        except BadParts as error:
            wrong.append(str(error))
    return batches


def _batch(held: object, name: str) -> tuple[Tensor, Tensor]:
    if not isinstance(held, Mapping) or b"data" not in held or b"labels" not in held:
        raise BadParts(f"{name} holds no data and labels")
    x, y = np.asarray(held[b"data"]), np.asarray(held[b"labels"])
    if x.dtype != np.uint8 or x.ndim != 2 or x.shape[1] != 3 * 32 * 32 or y.shape != (len(x),):
        raise BadParts(f"{name} holds data {x.shape} {x.dtype} and labels {y.shape}, not (N, 3072) uint8 and (N,)")
    return torch.from_numpy(x.reshape(-1, 3, 32, 32).copy()), torch.from_numpy(y.astype(np.int64))


def _joined(batches: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def _from_jpegs(path: Path) -> tuple[Tensor, Tensor]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            packed, offsets, labels = held["jpeg"], held["offsets"], held["labels"]
        if len(offsets) != len(labels) + 1 or (np.diff(offsets) <= 0).any() or offsets[-1] != len(packed):
            raise ValueError(f"{len(offsets)} offsets for {len(labels)} labels and {len(packed)} bytes")
        x = np.empty((len(labels), 3, 32, 32), np.uint8)
        for i, (begin, end) in enumerate(pairwise(offsets)):
            x[i] = _decoded(packed[begin:end].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise BadParts(f"{path} does not hold CIFAR-10 as JPEGs ({one_line(error)}). {GET}") from None
    return torch.from_numpy(x), torch.from_numpy(labels.astype(np.int64))


def _decoded(jpeg: bytes) -> NDArray[np.uint8]:
    """(3, H, W)."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
