"""Official files, fetched by torchvision and checked against the checksums that it holds.

May not: unpickle. What is fetched is read by our own readers.
"""

from __future__ import annotations

from pathlib import Path

from torchdoctor.errors import BadParts, one_line


def fetch_idx(root: str, name: str) -> None:
    """The files of torchvision.datasets.<name> (MNIST, FashionMNIST) into root/<name>/raw, unless they are there.
    Raises BadParts when they cannot be had, or are not what they should be."""
    from torchvision import datasets

    try:
        getattr(datasets, name)(root, download=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise _failed(name, root, error) from None


def fetch_cifar10(root: str) -> None:
    """The official batches into root/cifar-10-batches-py, unless they are there. Raises BadParts as above."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_and_extract_archive

    if (Path(root) / CIFAR10.base_folder).is_dir():
        return
    try:
        # Not CIFAR10(download=True): that unpickles the files with the plain pickle module.
        download_and_extract_archive(CIFAR10.url, root, filename=CIFAR10.filename, md5=CIFAR10.tgz_md5)
    except (OSError, RuntimeError, ValueError) as error:
        raise _failed("CIFAR-10", root, error) from None


def _failed(name: str, root: str, error: Exception) -> BadParts:
    return BadParts(
        f"{name} could not be fetched into {root} ({one_line(error)}). Look at the network, or copy the official "
        "files there by hand."
    )
