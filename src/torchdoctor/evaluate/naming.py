"""What numbers stand for: names of classes, of a table's columns, of token ids and of samples, as far as the data know.

May not: read data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from torchdoctor.data.steps.tokens import Tokens

COLUMNS, WORDS = 12, 40  # shown of a row


@dataclass(frozen=True)
class Naming:
    """Each is empty where nobody knows. words: words[i] is what the token id i stands for. samples: {"train", "val",
    "test": the file or row of each sample}."""

    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    samples: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def row(self, x: Tensor) -> str:
        """One sample (...) in a line: its words, or its columns with their values; the first of them."""
        if not x.is_floating_point() and self.words:
            known = [self.words[i] for i in x.flatten().tolist() if 0 < i < len(self.words)]  # 0 is padding
            return " ".join(known[:WORDS]) + (" …" if len(known) > WORDS else "")
        values = x.flatten()[:COLUMNS].tolist()
        names = [f"{name} " for name in self.features] or [""] * len(values)
        told = ", ".join(f"{name}{value:.4g}" for name, value in zip(names, values))
        return told + (", …" if x.numel() > COLUMNS else "")

    def sample(self, part: str, index: int) -> str:
        """Its file or row, else its number."""
        known = self.samples.get(part, ())
        return str(known[index]) if index < len(known) else f"#{index}"


def naming_of(build: Any) -> Naming:
    """From what builds the parts of a recipe: the class names it knows, and the preparation of its data."""
    made = getattr(build, "made", None)
    preparation = getattr(made, "preparation", None)
    tokens = [step for step in getattr(preparation, "steps", ()) if isinstance(step, Tokens)]
    samples = zip(("train", "val", "test"), getattr(made, "names", ()))
    return Naming(
        tuple(map(str, getattr(build, "classes", None) or ())),
        tuple(map(str, getattr(preparation, "features", None) or ())),
        ("", "?", *tokens[0].words) if tokens else (),
        {part: names.tolist() for part, names in samples if names is not None},
    )
