"""The IDX files of MNIST and its relatives, gzipped or not: a magic number, the sizes, then one byte a value."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from torchdoctor.data.downloads import fetch_idx
from torchdoctor.data.splits import Splits
from torchdoctor.errors import BadParts

FILES = {
    "train-images-idx3-ubyte": 3,
    "train-labels-idx1-ubyte": 1,
    "t10k-images-idx3-ubyte": 3,
    "t10k-labels-idx1-ubyte": 1,
}  # name without .gz -> dimensions
UNSIGNED_BYTE = 0x08  # the third byte of the magic number; the fourth counts the dimensions


class _Damaged(Exception):
    """What is wrong with one file."""


def read_splits(root: str | None, name: str, download: bool = False) -> Splits:
    """The four files in `root`, root/raw or root/<name>/raw. Raises BadParts with all that is wrong, file by file."""
    get = "Get it with data.download=true, or copy the four official files there."
    if root is None:
        raise BadParts(f"{name} needs data.root, the folder that holds its files (--set data.root=...). {get}")
    if download and not _any_there(Path(root), name):
        fetch_idx(root, name)
    if not Path(root).is_dir():
        raise BadParts(f"data.root is {root!r}, which is no folder. {get}")
    folder = _folder(Path(root), name)
    arrays: dict[str, Tensor] = {}
    wrong: list[str] = []
    for file, dimensions in FILES.items():
        try:
            arrays[file] = _read(folder, file, dimensions)
        except _Damaged as damage:
            wrong.append(str(damage))
    if wrong:
        raise BadParts(f"{folder} does not hold {name}: {'; '.join(wrong)}. {get}")
    train_x, train_y, test_x, test_y = arrays.values()
    for part, x, y in (("train", train_x, train_y), ("t10k", test_x, test_y)):
        if len(x) != len(y):
            raise BadParts(f"{folder} holds {len(x)} {part} images but {len(y)} labels, of two data sets. {get}")
    return Splits(train_x.unsqueeze(1), train_y.long(), None, None, test_x.unsqueeze(1), test_y.long())


def _folder(root: Path, name: str) -> Path:
    return next((place for place in _places(root, name) if _holds_one(place)), root)


def _any_there(root: Path, name: str) -> bool:
    return any(map(_holds_one, _places(root, name)))


def _places(root: Path, name: str) -> tuple[Path, ...]:
    return root, root / "raw", root / name / "raw"


def _holds_one(folder: Path) -> bool:
    return any((folder / (file + end)).is_file() for file in FILES for end in ("", ".gz"))


def _read(folder: Path, file: str, dimensions: int) -> Tensor:
    packed = folder / f"{file}.gz"
    try:
        raw = packed.read_bytes() if packed.is_file() else (folder / file).read_bytes()
    except FileNotFoundError:
        raise _Damaged(f"{packed.name} is missing") from None
    except OSError as error:
        raise _Damaged(f"{packed.name} cannot be read ({error.strerror})") from None
    return _parsed(_unpacked(raw, packed.name) if packed.is_file() else raw, packed.name, dimensions)


def _unpacked(raw: bytes, file: str) -> bytes:
    """What a gzip file holds, also of one that was cut off, so that the message can say how much is there."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        return unpacker.decompress(raw)
    except zlib.error as error:
        raise _Damaged(f"{file} is no sound gzip file ({error}; {len(raw):,} bytes)") from None


def _parsed(data: bytes, file: str, dimensions: int) -> Tensor:
    head = 4 + 4 * dimensions
    if len(data) < head or data[:4] != bytes((0, 0, UNSIGNED_BYTE, dimensions)):
        raise _Damaged(f"{file} is no IDX file of {dimensions} dimensions (it begins with {data[:4].hex(' ')})")
    sizes = struct.unpack(f">{dimensions}I", data[4:head])
    each = int(np.prod(sizes[1:], dtype=np.int64))
    whole = (len(data) - head) // max(1, each)
    if len(data) - head != sizes[0] * each:
        what = "cut off" if whole < sizes[0] else "too long"
        raise _Damaged(f"{file} is {what}: its header promises {sizes[0]:,} samples, it holds {whole:,}")
    values = np.frombuffer(data, np.uint8, offset=head).reshape(sizes)
    return torch.from_numpy(values.copy())  # a copy, because the buffer may not be written to
