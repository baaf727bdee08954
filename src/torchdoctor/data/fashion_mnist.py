"""Fashion-MNIST: 60,000 and 10,000 pictures of clothes in ten classes, in the files and the shape of MNIST."""

from __future__ import annotations

from torchdoctor.data.idx import read_splits
from torchdoctor.data.splits import Splits


def fashion_mnist(root: str | None = None, download: bool = False) -> Splits:
    """x: (N, 1, 28, 28) uint8, y: int64 0..9, training and test. root, download: as for mnist.

    Xiao, Rasul, Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017.
    """
    return read_splits(root, "FashionMNIST", download)
