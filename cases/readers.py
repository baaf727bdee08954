"""Files of ../shared/data that cases.data does not read. Each raises Absent where its file is not there."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache

import torch
from torch import Tensor

from cases.data import SHARED, Absent


def rows(file: str, delimiter: str = ",") -> list[dict[str, str]]:
    """A file with a line of headings, as one dict a line."""
    path = SHARED / file
    if not path.is_file():
        raise Absent(f"{file} is not in {SHARED.name}/ beside the project")
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def series(name: str, column: str) -> Tensor:
    """One column of a file in timeseries/, (N,), NaN where a value is missing."""
    values = [r[column] for r in rows(f"timeseries/{name}.csv")]
    return torch.tensor([float(v) if v not in ("", "NA") else float("nan") for v in values])


@cache
def messages(n: int = 3000) -> tuple[list[list[str]], Tensor]:
    """The first n different text messages as words in lower case, and 1 for spam (n,)."""
    path = SHARED / "text_sms_spam/sms.tsv"
    if not path.is_file():
        raise Absent(f"text_sms_spam/sms.tsv is not in {SHARED.name}/ beside the project")
    said: dict[tuple[str, ...], tuple[list[str], bool]] = {}
    for line in path.read_text("utf-8").splitlines():
        kind, text = line.split("\t", 1)
        words = re.findall(r"[a-z']+|[0-9]+|[£$!?]", text.lower()) or ["?"]
        # The same advertisement with another number to call is the same message.
        said.setdefault(tuple(w for w in words if not w.isdigit())[:12], (words, kind == "spam"))
    chosen = list(said.values())[:n]
    return [words for words, _ in chosen], torch.tensor([spam for _, spam in chosen]).long()


def vocabulary(texts: list[list[str]], size: int) -> dict[str, int]:
    """The commonest words, numbered from 2 on: 0 is padding, 1 any other word."""
    common = Counter(word for text in texts for word in text).most_common(size - 2)
    return {word: number for number, (word, _) in enumerate(common, 2)}


def numbered(texts: list[list[str]], known: dict[str, int], length: int) -> Tensor:
    """(N, length) numbers of words, cut or filled up with zeros at the end."""
    return torch.tensor(
        [([known.get(w, 1) for w in t[:length]] + [0] * length)[:length] for t in texts], dtype=torch.int64
    )
