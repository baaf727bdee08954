"""CIFAR-10 from its official pickles, which run nothing, and from JPEGs; downloads are checked."""

from __future__ import annotations

import os
import pickle
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from torchdoctor.data.cifar10 import OFFICIAL, TEST, TRAIN, cifar10
from torchdoctor.data.mnist import mnist
from torchdoctor.data.pickled import plain_pickle
from torchdoctor.errors import BadParts

SHARED = Path(__file__).parents[3] / "shared" / "data"  # real data sets, kept beside the project where there are any
# The start of a batch as Python 2 wrote it, protocol 2: keys and pixels are byte strings.
HEAD = b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03"
ARRAY = b"cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87R"


def batches(folder: Path) -> np.ndarray:
    """The six official files with two pictures each, written as Python 2's NumPy would."""
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 3072), np.uint8)
    for i, name in enumerate((*TRAIN, *TEST)):
        two = pixels[2 * i : 2 * i + 2]
        held = {b"data": two, b"labels": [i, 9 - i], b"batch_label": b"some", b"filenames": [b"a.png", b"b.png"]}
        (folder / name).write_bytes(pickle.dumps(held, protocol=2))
    return pixels


@pytest.mark.parametrize("inside", [OFFICIAL, ""])
def test_official_batches_are_read_in_their_order(tmp_path, inside):
    pixels = batches(tmp_path / "c" / inside)
    data = cifar10(str(tmp_path / "c"))
    assert data.train_x.shape == (10, 3, 32, 32) and data.test_x.shape == (2, 3, 32, 32) and data.val_x is None
    assert data.train_x.reshape(10, -1).numpy().tolist() == pixels[:10].tolist()
    assert data.train_y.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5] and data.test_y.tolist() == [5, 4]


def test_a_pickle_of_python_2_is_read_as_it_was_written(tmp_path):
    dtype = b"(K\x01cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = b"(K\x01K\x01K\x02\x86" + dtype[3:] + b"\x89U\x02\x07\xfftb"
    (tmp_path / "batch").write_bytes(HEAD + ARRAY + state + b"U\x06labelsq\x05]q\x06K\x03au.")
    held = plain_pickle(tmp_path / "batch")
    assert held[b"data"].tolist() == [[7, 255]] and held[b"labels"] == [3]


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


@pytest.mark.parametrize("evil", [Evil(), np.array([Evil()], object), {b"data": Evil()}, os.system, np.load])
def test_a_pickle_that_names_anything_but_arrays_is_refused_and_runs_nothing(tmp_path, monkeypatch, evil):
    monkeypatch.chdir(tmp_path)
    batches(tmp_path / OFFICIAL)
    (tmp_path / OFFICIAL / "data_batch_3").write_bytes(pickle.dumps(evil, protocol=2))
    with pytest.raises(
        BadParts, match=r"data_batch_3 is refused \(it asks for .*neither an array nor plain data"
    ) as error:
        cifar10(str(tmp_path))
    assert not (tmp_path / "pwned").exists() and "\n" not in str(error.value)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-300])


def other(file: Path) -> None:
    file.write_bytes(pickle.dumps({b"data": np.zeros((2, 5), np.uint8), b"labels": [1, 2]}))


def nothing(file: Path) -> None:
    file.write_bytes(pickle.dumps([1, 2]))


@pytest.mark.parametrize("damage", [cut, other, nothing, Path.unlink])
def test_a_damaged_batch_is_named_in_one_line_with_what_to_do(tmp_path, damage):
    batches(tmp_path / OFFICIAL)
    damage(tmp_path / OFFICIAL / "data_batch_2")
    with pytest.raises(BadParts, match=r"data_batch_2 .*data\.download=true") as error:
        cifar10(str(tmp_path))
    assert "\n" not in str(error.value) and "data_batch_1" not in str(error.value)


def test_without_a_folder_it_says_how_to_get_one():
    with pytest.raises(BadParts, match=r"needs data\.root"):
        cifar10()


def test_damaged_jpegs_are_told(tmp_path):
    for name in ("cifar10_train_jpeg.npz", "cifar10_test_jpeg.npz"):
        np.savez(tmp_path / name, jpeg=np.zeros(9, np.uint8), offsets=np.array([0, 9]), labels=np.array([1]))
    with pytest.raises(BadParts, match=r"cifar10_train_jpeg\.npz does not hold") as error:
        cifar10(str(tmp_path))
    assert "\n" not in str(error.value)
    (tmp_path / "cifar10_train_jpeg.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(BadParts, match=r"cifar10_train_jpeg\.npz does not hold"):
        cifar10(str(tmp_path))


def test_real_jpegs_are_read_in_their_order(tmp_path):
    if not (SHARED / "cifar10").is_dir():
        pytest.skip("the real cifar10 is not beside the project")
    for name in ("cifar10_train_jpeg.npz", "cifar10_test_jpeg.npz"):
        with np.load(SHARED / "cifar10" / name) as held:
            few = held["offsets"][:401]
            np.savez(tmp_path / name, jpeg=held["jpeg"][: few[-1]], offsets=few, labels=held["labels"][:400])
    data = cifar10(str(tmp_path))
    assert data.train_x.shape == data.test_x.shape == (400, 3, 32, 32) and data.train_x.dtype == torch.uint8
    assert data.train_y[:5].tolist() == [6, 9, 9, 4, 1]  # as published: frog, truck, truck, deer, automobile
    sprites = SHARED / "cifar10_lossless_first4000" / "cifar10_batch_0.png"
    with Image.open(sprites) as image:
        true = torch.from_numpy(np.array(image)).reshape(1000, 32, 32, 3)[:400].permute(0, 3, 1, 2)
    assert (data.train_x.float() - true.float()).abs().mean() < 8  # JPEG is lossy


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of these files on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_download_is_checked_and_read(tmp_path, monkeypatch):
    if not (SHARED / "mnist").is_dir():
        pytest.skip("the real mnist is not beside the project")
    with served(SHARED / "mnist") as address:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        data = mnist(str(tmp_path), download=True)
    assert data.train_x.shape == (60000, 1, 28, 28)
    assert torch.equal(mnist(str(tmp_path), download=True).test_x, data.test_x)  # with no server: it is there already


def test_a_download_with_another_checksum_is_refused(tmp_path, monkeypatch):
    for name, _ in datasets.MNIST.resources:
        (tmp_path / name).write_bytes(b"not the official file")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz"):
        pass
    with served(tmp_path) as address:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [address])
        monkeypatch.setattr(datasets.CIFAR10, "url", address + "cifar-10-python.tar.gz")
        for read, name in ((mnist, "MNIST"), (cifar10, "CIFAR-10")):
            with pytest.raises(BadParts, match=f"{name} could not be fetched into") as error:
                read(str(tmp_path / name), download=True)
            assert "\n" not in str(error.value)


def test_a_server_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(BadParts, match="MNIST could not be fetched into"):
        mnist(str(tmp_path), download=True)
