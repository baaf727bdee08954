"""words: a text column becomes one column per word: how often it is there, or its tf-idf weight (scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from torchdoctor.data.columns import Columns
from torchdoctor.data.steps.step import On, chosen_columns, replaced
from torchdoctor.errors import BadParts


@dataclass(frozen=True)
class Words:
    """columns: default all of text. size: the most frequent words that are kept. ngrams: up to so many words in a row
    count as one. weights: count, or tf-idf (frequent words weigh less, rows have length 1; Sparck Jones 1972).

    terms, idf: learnt, by column.
    """

    columns: tuple[str, ...] | None = None
    size: int = 2_000
    ngrams: int = 1
    weights: Literal["count", "tf-idf"] = "tf-idf"
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idf: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    on: ClassVar[On] = "columns"

    def __post_init__(self) -> None:
        if self.weights not in ("count", "tf-idf"):
            raise BadParts(f"words: weights is {self.weights!r}; it must be count or tf-idf.")
        if self.size < 1 or self.ngrams < 1:
            raise BadParts(f"words: size is {self.size} and ngrams {self.ngrams}; both must be at least 1.")

    def fit(self, x: Columns) -> Words:
        names = chosen_columns(x, self.columns, "text", "words")
        terms: dict[str, tuple[str, ...]] = {}
        idf: dict[str, tuple[float, ...]] = {}
        for name in names:
            counter = self._vectorizer(max_features=self.size)
            try:
                counter.fit(_texts(x, name))
            except ValueError as error:  # no word in any of them
                raise BadParts(f"words: column {name!r} holds no words ({str(error).split(';')[0]}).") from None
            terms[name] = tuple(counter.get_feature_names_out().tolist())
            if self.weights == "tf-idf":
                idf[name] = tuple(counter.idf_.tolist())
        return replace(self, columns=names, terms=terms, idf=idf)

    def __call__(self, x: Columns) -> Columns:
        return replaced(x, {name: self._counted(x, name) for name in self.terms})

    def _counted(self, x: Columns, name: str) -> Columns:
        counter = self._vectorizer(vocabulary=list(self.terms[name]))
        if self.weights == "tf-idf":
            counter.idf_ = np.asarray(self.idf[name])
        found = counter.transform(_texts(x, name)).toarray().astype(np.float32)
        return {f"{name}: {term}": found[:, i] for i, term in enumerate(self.terms[name])}

    def _vectorizer(self, **settings: Any) -> Any:
        made = TfidfVectorizer if self.weights == "tf-idf" else CountVectorizer
        return made(ngram_range=(1, self.ngrams), **settings)


def _texts(x: Columns, name: str) -> list[str]:
    return [text or "" for text in x[name]]
