"""Folders of pictures, one folder for each class, read once into one tensor, or left in their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.data.folders import Listing, listed
from torchdoctor.data.picture_files import PictureFiles
from torchdoctor.data.pictures import SUFFIXES, Pictures, as_tensor, decoding, opened
from torchdoctor.data.samples import Samples
from torchdoctor.errors import BadParts

NAMED = 3  # files named in one message; the rest is counted


def images(
    root: str | None = None,
    size: int | Sequence[int] | None = None,
    channels: int | None = None,
    *,
    unreadable: Literal["refuse", "skip"] = "refuse",
    lazy: bool = False,
) -> Samples | PictureFiles:
    """x: (N, channels, height, width) uint8; the class names are those of the folders.

    size: a square, or (height, width) in pixels; channels: 1, 3 or 4; default what all pictures have in common.
    unreadable: pictures that cannot be decoded are refused, or left out and named in `skipped`, beside files that are
    no pictures by their names. lazy: pictures stay in their files, and each is read when a batch asks for it; it needs
    size and channels. Raises BadParts, in one line, for folders and files that cannot be used.
    """
    found = listed(root, SUFFIXES, "pictures")
    shape = (size, size) if isinstance(size, int) else None if size is None else (size[0], size[1])
    if lazy:
        return _in_files(found, shape, channels, unreadable)
    _must_fit_memory(len(found.files), shape, channels)

    def read(file: Path) -> Tensor | BadParts:
        try:
            return as_tensor(opened(file, str(file.relative_to(found.root))), channels, shape)
        except BadParts as error:
            return error

    with decoding(), ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow decodes outside of Python's lock
        decoded = list(threads.map(read, found.files))
    bad = [(i, str(tensor)) for i, tensor in enumerate(decoded) if isinstance(tensor, BadParts)]
    if bad and (unreadable != "skip" or len(bad) == len(decoded)):
        raise BadParts(_refusal([said for _, said in bad], len(decoded)))
    good = [i for i, tensor in enumerate(decoded) if not isinstance(tensor, BadParts)]
    tensors = [tensor for tensor in decoded if not isinstance(tensor, BadParts)]
    names = found.names()
    _must_be_alike(tensors, names[good])
    x = torch.stack(tensors)
    skipped = [said for _, said in bad] + [
        f"{f.relative_to(found.root)} is no picture by its name." for f in found.others
    ]
    return Samples(
        x,
        torch.from_numpy(found.y[good]),
        found.classes,
        names[good],
        part=None if found.part is None else found.part[good],
        reader=Pictures((x.shape[2], x.shape[3]), x.shape[1]),
        skipped=tuple(skipped),
    )


def _in_files(
    found: Listing, shape: tuple[int, int] | None, channels: int | None, unreadable: Literal["refuse", "skip"]
) -> PictureFiles:
    """The files as they are listed; to leave out those that cannot be read, each must be read once."""
    if shape is None or channels is None:
        raise BadParts("data.args.lazy needs data.size and data.channels: no picture is read beforehand.")
    names, reader = found.names(), Pictures(shape, channels)
    every = PictureFiles(found.files, found.y, found.classes, reader, names, found.part)
    if unreadable == "refuse":
        return every

    def complaint(row: int) -> str:
        try:
            reader([opened(found.files[row], str(names[row]))])
        except BadParts as error:
            return str(error)
        return ""

    with decoding(), ThreadPoolExecutor(os.cpu_count()) as threads:
        said = np.array(list(threads.map(complaint, range(len(every)))))
    good = np.flatnonzero(said == "")
    part = None if found.part is None else found.part[good]
    files, skipped = [found.files[i] for i in good], tuple(said[said != ""].tolist())
    return PictureFiles(files, found.y[good], found.classes, reader, names[good], part, skipped)


def _refusal(said: Sequence[str], files: int) -> str:
    more = f" (and {len(said) - NAMED} more)" if len(said) > NAMED else ""
    return (
        f"{len(said)} of {files} pictures cannot be read: {' '.join(said[:NAMED])}{more} "
        "Repair them, or leave them out: data.args.unreadable: skip."
    )


def _must_be_alike(tensors: Sequence[Tensor], names: Sequence[str] | NDArray[np.str_]) -> None:
    """Raises one BadParts for all that differs, naming a file of each kind."""
    said = []
    for what, option, of in (
        ("channels", "channels", lambda t: f"{t.shape[0]}"),
        ("size", "size", lambda t: f"{t.shape[1]} x {t.shape[2]}"),
    ):
        kinds = _first_of_each(map(of, tensors), names)
        if len(kinds) > 1:
            shown = ", ".join(f"{name} has {kind}" for kind, name in list(kinds.items())[:NAMED])
            more = f" and {len(kinds) - NAMED} more kinds" if len(kinds) > NAMED else ""
            said.append(f"they differ in {what} ({shown}{more}): set data.{option}")
    if said:
        raise BadParts(f"The pictures cannot be put together: {'; '.join(said)}.")


def _first_of_each(kinds: Iterable[str], names: Sequence[str] | NDArray[np.str_]) -> dict[str, str]:
    first: dict[str, str] = {}
    for kind, name in zip(kinds, names):
        first.setdefault(kind, name)
    return first


def _must_fit_memory(files: int, size: tuple[int, int] | None, channels: int | None) -> None:
    """All pictures are held as bytes, and as float32 once they are prepared."""
    if size is None or not hasattr(os, "sysconf"):
        return
    needed, there = (
        files * (channels or 3) * size[0] * size[1] * 5,
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )
    if needed > there:
        raise BadParts(
            f"{files:,} pictures of {size[0]} x {size[1]} take {needed / 1e9:.0f} GB, and this machine has "
            f"{there / 1e9:.0f}. Choose a smaller data.size, or leave them in their files: data.args.lazy: true."
        )
