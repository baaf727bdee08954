"""Records of the world beside the embedded sets: series of measurements and messages, where they are on this machine.

Every function returns the same tensors each time. Raises cases.data.Absent where the files are not there.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from cases.data import SHARED, Absent, Loaders, Pair


def sunspots() -> Tensor:
    """Mean number of spots on the sun, month by month from 1749 on, (2820,)."""
    return _column("timeseries/monthly-sunspots.csv", "Sunspots")


def coldest() -> Tensor:
    """The lowest temperature of each day in Melbourne, ten years in degrees Celsius, (3650,)."""
    return _column("timeseries/daily-min-temperatures.csv", "Temp")


def windows(series: Tensor, length: int) -> Pair:
    """(N, length) windows of a series (T,), and the value after each, (N, 1)."""
    return series.unfold(0, length, 1)[:-1], series[length:, None]


def in_time(x: Tensor, y: Tensor, seed: int, batch_size: int = 32) -> Loaders:
    """Shuffled batches of the first three quarters of a series' windows; the last ones validate, with a gap between."""
    cut, gap = 3 * len(x) // 4, x[0].numel()
    shuffling = torch.Generator().manual_seed(seed)
    return (
        DataLoader(TensorDataset(x[: cut - gap], y[: cut - gap]), batch_size, shuffle=True, generator=shuffling),
        DataLoader(TensorDataset(x[cut:], y[cut:]), batch_size=256),
    )


def messages() -> tuple[list[list[str]], Tensor]:
    """5,574 text messages as lists of words; 1 for the spam among them (N,)."""
    with _file("text_sms_spam/sms.tsv").open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t", 1) for line in file]
    words = [re.findall(r"[a-z]+|\d+|[^\w\s]", text.lower()) for _, text in rows]
    return words, torch.tensor([kind == "spam" for kind, _ in rows]).long()


def numbered(texts: list[list[str]], words: int) -> list[Tensor]:
    """Each text as numbers: 0 is kept for padding, 1 for words that are not among the `words` most frequent."""
    frequent = Counter(word for text in texts for word in text).most_common(words)
    number = {word: i for i, (word, _) in enumerate(frequent, 2)}
    return [torch.tensor([number.get(word, 1) for word in text] or [1]) for text in texts]


def _column(path: str, name: str) -> Tensor:
    with _file(path).open() as file:
        return torch.tensor([float(row[name]) for row in csv.DictReader(file)])


def _file(path: str) -> Path:
    file = SHARED / path
    if not file.is_file():
        raise Absent(f"{path} is not in {SHARED.name}/ beside the project")
    return file
