"""tokens: a text column becomes whole numbers, one per word, for models that embed words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from torchdoctor.data.columns import Columns
from torchdoctor.data.steps.step import On, chosen_columns
from torchdoctor.errors import BadParts

PADDING, UNKNOWN = 0, 1  # ids that stand for no word and for one that the vocabulary lacks
WORD = re.compile(r"\w+|[^\w\s]")  # words and single punctuation marks
LONGEST = 256  # tokens, unless asked for: what a small encoder still takes in at once


@dataclass(frozen=True)
class Tokens:
    """(N,) texts -> (N, length) int64. 0 is padding, at the end; 1 is a word that training never saw, or too rarely.

    column: which; default the only text column. size: most frequent training words in the vocabulary, the two special
    ids among them. least: times a word must occur. length: tokens kept of each text, from its beginning; default what
    holds 95 % of the training texts whole, at most 256. lower: whether "Free" and "free" are one word.
    words: learnt; words[i] has the id i + 2.
    """

    column: str | None = None
    size: int = 10_000
    length: int | None = None
    least: int = 1
    lower: bool = True
    words: tuple[str, ...] = ()
    on: ClassVar[On] = "columns"

    def __post_init__(self) -> None:
        if self.size < 3 or (self.length is not None and self.length < 1):
            raise BadParts(f"tokens: size is {self.size} (at least 3) and length {self.length} (at least 1).")

    @property
    def vocabulary(self) -> int:
        """How many different ids there can be."""
        return len(self.words) + 2

    def fit(self, x: Columns) -> Tokens:
        column = self._column(x)
        texts = [self.split(text) for text in x[column]]
        counts = Counter(word for text in texts for word in text)
        # Words of equal frequency in the order of the alphabet: the same vocabulary whatever order the samples come in.
        ranked = sorted((-count, word) for word, count in counts.items() if count >= self.least)
        if not ranked:
            raise BadParts(f"tokens: column {column!r} holds no words in any training sample.")
        length = self.length or max(1, min(LONGEST, int(np.quantile([len(t) for t in texts], 0.95, method="higher"))))
        return replace(self, column=column, length=length, words=tuple(word for _, word in ranked[: self.size - 2]))

    def __call__(self, x: Columns) -> Tensor:
        assert self.length is not None and self.column is not None
        ids = {word: i for i, word in enumerate(self.words, UNKNOWN + 1)}
        texts = x[self.column]
        made = np.full((len(texts), self.length), PADDING, np.int64)
        for row, text in enumerate(texts):
            found = [ids.get(word, UNKNOWN) for word in self.split(text)[: self.length]]
            made[row, : len(found)] = found
        return torch.from_numpy(made)

    def split(self, text: str | None) -> list[str]:
        """Its words and punctuation marks."""
        return WORD.findall((text or "").lower() if self.lower else text or "")

    def _column(self, x: Columns) -> str:
        names = chosen_columns(x, None if self.column is None else (self.column,), "text", "tokens")
        if len(names) != 1 or len(x) > 1:
            raise BadParts(f"tokens takes one text column and no others; these are {', '.join(x)}. Name it: data.text.")
        return names[0]
