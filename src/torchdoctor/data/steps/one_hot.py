"""one-hot: a column of words becomes one column of 0 and 1 for each word that the training samples hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from torchdoctor.data.columns import Columns
from torchdoctor.data.steps.step import On, chosen_columns, replaced
from torchdoctor.errors import BadParts

MOST = 1_000  # categories of one column; above, it is a name, a date or free text, and every sample has its own


@dataclass(frozen=True)
class OneHot:
    """columns: default all of text. A word that is missing, or that training never saw, is 0 in every column.

    categories: learnt, by column, in order.
    """

    columns: tuple[str, ...] | None = None
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on: ClassVar[On] = "columns"

    def fit(self, x: Columns) -> OneHot:
        names = chosen_columns(x, self.columns, "text", "one-hot")
        found = {name: tuple(sorted({v for v in x[name] if v is not None})) for name in names}
        for name, words in found.items():
            if len(words) > MOST or (len(words) > 20 and len(words) > len(x[name]) / 2):
                raise BadParts(
                    f"one-hot: column {name!r} has {len(words):,} different values in {len(x[name]):,} samples, too "
                    "many to be categories. Leave it out (data.args.drop), or name it as data.text, data.group "
                    "or data.time."
                )
        return replace(self, columns=names, categories=found)

    def __call__(self, x: Columns) -> Columns:
        coded = {
            name: {f"{name}={word}": (x[name] == word).astype(float) for word in words}
            for name, words in self.categories.items()
        }
        return replaced(x, coded)
