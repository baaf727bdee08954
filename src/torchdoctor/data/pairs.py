"""Pairs: a loader of dicts, read as (inputs, target)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from torchdoctor.data.around import Around
from torchdoctor.errors import BadParts, did_you_mean


class Pairs(Around):
    """Pairs(loader, inputs=("input_ids", "attention_mask"), target="labels") gives (input_ids, attention_mask, labels).

    Everything else asked of it is the loader's own.
    """

    def __init__(self, loader: Iterable[Mapping[str, Any]], inputs: str | Sequence[str], target: str) -> None:
        self.loader = loader
        self.keys = ((inputs,) if isinstance(inputs, str) else tuple(inputs)) + (target,)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for batch in self.loader:
            if not isinstance(batch, Mapping):
                kind = type(batch).__name__
                raise BadParts(f"Pairs is for loaders of dicts; this one gives {kind}s. Use it without Pairs.")
            if missing := [key for key in self.keys if key not in batch]:
                raise BadParts(f"The batches have no {missing[0]!r}. {did_you_mean(missing[0], map(str, batch))}")
            yield tuple(batch[key] for key in self.keys)
