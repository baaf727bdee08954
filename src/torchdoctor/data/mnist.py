"""MNIST: 60,000 and 10,000 handwritten digits, 28 x 28 pixels, from the four official files."""

from __future__ import annotations

from torchdoctor.data.idx import read_splits
from torchdoctor.data.splits import Splits


def mnist(root: str | None = None, download: bool = False) -> Splits:
    """x: (N, 1, 28, 28) uint8, y: int64 0..9, training and test. root: the folder that holds the files, or one that
    torchvision downloaded to. download: fetch them into it, checked, when none is there. Raises BadParts naming every
    file that is missing or damaged.

    LeCun, Cortes, Burges, The MNIST database of handwritten digits, 1998.
    """
    return read_splits(root, "MNIST", download)
