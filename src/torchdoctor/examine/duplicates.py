"""The same sample more than once: within a part, and in training and another part."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from torch import Tensor

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material, Part
from torchdoctor.record.measurement import Fact, Measurement

NAMED = 200  # pairs kept at most


@examination(
    order=2,
    measures={
        "repeated_samples": "samples: of each part that are equal to an earlier one of it, bit for bit",
        "shared_samples": "samples: of validation or test that are in training, bit for bit",
        "contradicting_samples": "samples: of training whose twin has another target",
        "part_samples": "samples: of each part, beside which the counts are to be read",
    },
)
def duplicates(material: Material) -> Iterator[Measurement | Fact]:
    """Every sample's bytes, hashed. All samples of all parts are compared, but for blank ones: that two pictures are
    empty makes neither a copy."""
    prints = {name: _prints(part) for name, part in material.parts.items()}
    first: dict[bytes, int] = {}
    pairs: list[list[object]] = []
    for name, of_part in prints.items():
        yield Measurement("part_samples", len(of_part), name)
        seen: dict[bytes, int] = {}
        twins = [(row, seen[p]) for row, p in enumerate(of_part) if p and seen.setdefault(p, row) != row]
        yield Measurement("repeated_samples", len(twins), name)
        pairs += [[name, row, name, earlier] for row, earlier in twins[:NAMED]]
        if name == "train":
            first = seen
            y = material.train.y
            yield Measurement("contradicting_samples", sum(bool((y[a] != y[b]).any()) for a, b in twins))
            continue
        shared = [(row, first[p]) for row, p in enumerate(of_part) if p and p in first]
        yield Measurement("shared_samples", len(shared), name)
        pairs += [[name, row, "train", there] for row, there in shared[:NAMED]]
    yield Fact("duplicates", pairs)


def blank(x: Tensor) -> list[bool]:
    """Of each sample of x (N, ...), whether it is one value throughout; never of a sample of a single number."""
    flat = (x.detach() if x.ndim else x.detach()[None])[:, None].flatten(1)
    same: list[bool] = ((flat == flat[:, :1]).all(1) & (flat.shape[1] > 1)).tolist()
    return same


def _prints(part: Part) -> list[bytes]:
    """b"" for a blank sample."""
    flat = np.ascontiguousarray(part.x.flatten(1).numpy() if part.x.ndim > 1 else part.x[:, None].numpy())
    prints = (hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in flat)
    return [b"" if empty else p for p, empty in zip(prints, blank(part.x))]
