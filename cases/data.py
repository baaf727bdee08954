"""Small data for the cases: scikit-learn's embedded sets, synthetic ones with fixed seeds, and real files if present.

Every function returns (x, y) tensors, the same each time. Splits and models differ from seed to seed, data never do.
"""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn import datasets
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

SHARED = Path(__file__).parents[2] / "shared" / "data"  # beside the project; see the README there
Pair = tuple[Tensor, Tensor]
Loaders = tuple[DataLoader, DataLoader]
DESCRIBED = ("breast_cancer", "wine", "diabetes", "iris", "digits")


class Absent(Exception):
    """The data of a case are not on this machine; the message says which."""


def loaders(
    x: Tensor, y: Tensor, seed: int, batch_size: int = 32, held_out: float = 0.25
) -> tuple[DataLoader, DataLoader]:
    """Shuffled training batches and a validation loader, split at random, always in the same way."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1234))
    val, train = order[: int(held_out * len(x))], order[int(held_out * len(x)) :]
    shuffling = torch.Generator().manual_seed(seed)
    return (
        DataLoader(TensorDataset(x[train], y[train]), batch_size, shuffle=True, generator=shuffling),
        DataLoader(TensorDataset(x[val], y[val]), batch_size=256),
    )


def everything(x: Tensor, y: Tensor, seed: int, batch_size: int = 32) -> DataLoader:
    """All samples for training, shuffled: for tasks too small to hold any out."""
    return DataLoader(TensorDataset(x, y), batch_size, shuffle=True, generator=torch.Generator().manual_seed(seed))


def standard(x: Tensor) -> Tensor:
    """Each column with mean 0 and standard deviation 1; constant columns become 0."""
    return (x - x.mean(0)) / x.std(0).clamp(min=1e-8)


def digits(images: bool = False) -> Pair:
    """1,797 digits of 8 x 8 pixels, ink 0..1: (N, 64), or (N, 1, 8, 8) as images."""
    x, y = datasets.load_digits(return_X_y=True)
    pixels = torch.tensor(x, dtype=torch.float32) / 16
    return (pixels.reshape(-1, 1, 8, 8) if images else pixels), torch.tensor(y)


def iris() -> Pair:
    """150 flowers, 4 lengths in cm, 3 kinds."""
    return _table(datasets.load_iris(return_X_y=True))


def wine() -> Pair:
    """178 wines, 13 measurements of very different sizes, 3 growers."""
    return _table(datasets.load_wine(return_X_y=True))


def tumours() -> Pair:
    """569 tumours, 30 measurements of very different sizes, 2 kinds."""
    return _table(datasets.load_breast_cancer(return_X_y=True))


def diabetes(scaled: bool = True) -> Pair:
    """442 patients, 10 measurements, progress of the disease (25 to 346) as (N, 1). scaled: to unit columns."""
    x, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    x = torch.tensor(x, dtype=torch.float32)
    return (standard(x) if scaled else x), torch.tensor(y, dtype=torch.float32)[:, None]


def circles(n: int = 1000, noise: float = 0.1) -> Pair:
    """Two rings, one inside the other; targets 0.0 and 1.0 as (N, 1)."""
    x, y = datasets.make_circles(n_samples=n, noise=noise, factor=0.5, random_state=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]


def moons(n: int = 1000, noise: float = 0.15) -> Pair:
    """Two interlocked half-moons; targets 0.0 and 1.0 as (N, 1)."""
    x, y = datasets.make_moons(n_samples=n, noise=noise, random_state=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]


def blobs(n: int = 1000, classes: int = 3, features: int = 2, spread: float = 2.0) -> Pair:
    """Round clouds of points, one per class."""
    return _table(datasets.make_blobs(n, features, centers=classes, cluster_std=spread, random_state=2))


def table(n: int = 1000, features: int = 20, classes: int = 2, seed: int = 0) -> Pair:
    """A made-up table of unit columns whose classes lie in clusters."""
    x, y = datasets.make_classification(
        n, features, n_informative=features // 2, n_classes=classes, class_sep=1.5, random_state=seed
    )
    return standard(torch.tensor(x, dtype=torch.float32)), torch.tensor(y)


def xor() -> Pair:
    """The four rows of the truth table; targets as (4, 1)."""
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return x, (x.sum(1) == 1).float()[:, None]


def topics(n: int = 1200, words: int = 600, classes: int = 8, seed: int = 0) -> Pair:
    """Documents as bags of words, 0 or 1 a word (N, words): every topic likes some words more than others do."""
    random = np.random.default_rng(seed)
    base = 1 / np.arange(5, words + 5)  # as word counts of a language fall off
    liking = base * np.exp(1.2 * random.normal(size=(classes, words)))
    y = random.integers(0, classes, n)
    counts = np.stack([random.multinomial(60, liking[k] / liking[k].sum()) for k in y])
    return torch.tensor(counts > 0).float(), torch.tensor(y)


def sentences(n: int = 1000, words: int = 200, length: int = 16, classes: int = 3, seed: int = 0) -> Pair:
    """Sequences of word numbers (N, length); each class has words of its own among common ones."""
    random = np.random.default_rng(seed)
    own = np.array_split(random.permutation(words // 2), classes)
    y = random.integers(0, classes, n)
    x = random.integers(words // 2, words, (n, length))
    for row, k in zip(x, y):
        at = random.choice(length, 4, replace=False)
        row[at] = random.choice(own[k], 4)
    return torch.tensor(x), torch.tensor(y)


def motifs(n: int = 1000, length: int = 20, seed: int = 0) -> Pair:
    """DNA as four channels (N, 4, length); 1.0 where the motif TATA occurs, as (N, 1)."""
    random = np.random.default_rng(seed)
    bases = random.integers(0, 4, (n, length))
    y = random.integers(0, 2, n)
    for row in np.flatnonzero(y):
        start = random.integers(0, length - 4)
        bases[row, start : start + 4] = (3, 0, 3, 0)
    has = [any((b[i : i + 4] == (3, 0, 3, 0)).all() for i in range(length - 3)) for b in bases]
    x = torch.nn.functional.one_hot(torch.tensor(bases), 4).float()
    return x.transpose(1, 2), torch.tensor(has).float()[:, None]


def waves(n: int = 900, length: int = 40, classes: int = 3, seed: int = 0) -> Pair:
    """Noisy oscillations (N, length, 1); the class is the frequency."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, n)
    time, phase = np.arange(length) / length, random.uniform(0, 2 * np.pi, (n, 1))
    x = np.sin(2 * np.pi * (2 + 2 * y[:, None]) * time + phase) + 0.3 * random.normal(size=(n, length))
    return torch.tensor(x, dtype=torch.float32)[..., None], torch.tensor(y)


def next_values(n: int = 1000, length: int = 24, seed: int = 0) -> Pair:
    """Windows of a slow and a fast oscillation with noise (n, length, 1) and the value that follows (n, 1)."""
    random = np.random.default_rng(seed)
    time = np.arange(n + length)
    series = np.sin(time / 6) + 0.5 * np.sin(time / 17) + 0.05 * random.normal(size=n + length)
    values = torch.tensor(series, dtype=torch.float32)
    return values.unfold(0, length, 1)[:n, :, None], values[length:][:n, None]


def spots(n: int = 800, size: int = 16, seed: int = 0) -> Pair:
    """Images with one bright spot (N, 1, size, size) and where it lies, -1..1 (N, 2)."""
    random = np.random.default_rng(seed)
    centre = random.uniform(-0.7, 0.7, (n, 2))
    grid = np.linspace(-1, 1, size)
    square = (grid[None, :, None] - centre[:, :1, None]) ** 2 + (grid[None, None, :] - centre[:, 1:, None]) ** 2
    images = np.exp(-square / 0.08) + 0.05 * random.normal(size=(n, size, size))
    return torch.tensor(images, dtype=torch.float32)[:, None], torch.tensor(centre, dtype=torch.float32)


def letters() -> tuple[Tensor, int]:
    """An English text (scikit-learn's descriptions of its sets) as numbers of characters (N,), and how many differ."""
    text = "".join(
        getattr(datasets, f"load_{n}")().DESCR for n in ("breast_cancer", "wine", "diabetes", "iris", "digits")
    )
    alphabet = sorted(set(text))
    return torch.tensor([alphabet.index(c) for c in text]), len(alphabet)


@cache
def mnist(n: int = 2000, folder: str = "mnist") -> Pair:
    """The first n handwritten digits (or Fashion-MNIST's clothes) as they are stored: bytes 0..255, (n, 1, 28, 28)."""
    files = {part: _shared(f"{folder}/train-{part}-ubyte.gz") for part in ("images-idx3", "labels-idx1")}
    with gzip.open(files["images-idx3"]) as images, gzip.open(files["labels-idx1"]) as labels:
        x = np.frombuffer(images.read(16 + 784 * n), np.uint8, offset=16)
        y = np.frombuffer(labels.read(8 + n), np.uint8, offset=8)
    return torch.tensor(x, dtype=torch.float32).reshape(-1, 1, 28, 28), torch.tensor(y, dtype=torch.int64)


@cache
def cifar(n: int = 1000) -> Pair:
    """The first n CIFAR-10 pictures, bytes 0..255, (n, 3, 32, 32)."""
    from PIL import Image

    sheets = [_shared(f"cifar10_lossless_first4000/cifar10_batch_{i}.png") for i in range(-(-n // 1000))]
    pixels = np.concatenate([np.array(Image.open(s)).reshape(1000, 32, 32, -1)[..., :3] for s in sheets])[:n]
    labels = np.load(_shared("cifar10/cifar10_train_jpeg.npz"))["labels"][:n]
    return torch.tensor(pixels, dtype=torch.float32).permute(0, 3, 1, 2), torch.tensor(labels, dtype=torch.int64)


def houses(n: int = 2000) -> Pair:
    """Californian districts: 8 numbers of very different sizes, and the median price in dollars, (n, 1)."""
    with _shared("tabular_california_housing/housing.csv").open() as file:
        rows = [[float(v) for v in list(r.values())[:9]] for r in csv.DictReader(file) if all(r.values())]
    chosen = np.random.default_rng(0).permutation(len(rows))[:n]
    values = torch.tensor(rows, dtype=torch.float32)[chosen]
    return values[:, :8], values[:, 8:]


def penguins() -> Pair:
    """344 penguins, 4 measurements in mm and g, some of them missing (NaN), 3 kinds."""
    with _shared("tabular_penguins/penguins.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
    kinds = sorted({r["species"] for r in rows})
    x = [[float(r[c]) if r[c] else float("nan") for c in columns] for r in rows]
    return torch.tensor(x), torch.tensor([kinds.index(r["species"]) for r in rows])


def passengers(length: int = 12) -> Pair:
    """Airline passengers a month (104 to 622), windows (N, length, 1) and the month that follows (N, 1)."""
    with _shared("timeseries/airline-passengers.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    values = torch.tensor([float(r[1]) for r in rows])
    return values.unfold(0, length, 1)[:-1, :, None], values[length:, None]


def _table(columns: tuple[np.ndarray, np.ndarray]) -> Pair:
    return torch.tensor(columns[0], dtype=torch.float32), torch.tensor(columns[1], dtype=torch.int64)


def _shared(path: str) -> Path:
    file = SHARED / path
    if not file.is_file():
        raise Absent(f"{path} is not in {SHARED.name}/ beside the project")
    return file
