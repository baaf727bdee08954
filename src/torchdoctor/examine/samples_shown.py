"""Which samples are worth showing, and what augmentation makes of a few: arrays for pages and contact sheets.

May not: draw, judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from torchdoctor.data.augment.policy import Policy
from torchdoctor.examine.material import Material

Pixels = NDArray[np.float32]  # (C, H, W) in 0..1


@dataclass(frozen=True)
class Changed:
    """A training sample, what the whole policy makes of it again and again, and what each step makes of it alone; with
    each what is to be written under it."""

    row: int
    label: str
    original: Pixels
    copies: tuple[tuple[str, Pixels], ...]
    by_step: tuple[tuple[str, Pixels], ...]


def changed_samples(material: Material, samples: int = 8, copies: int = 8) -> list[Changed]:
    """A few training samples, of different classes where there are any, drawn by the material's seed alone.

    Empty where there is no policy, or nothing to look at.
    """
    if material.policy is None or material.kind != "pictures":
        return []
    rows = _different(material, samples)
    unit, targets = material.unit("train", rows), _targets(material, rows)

    def made(policy: Policy, name: str, draw: int) -> list[tuple[str, Pixels]]:
        x, y = policy(unit, targets, np.random.default_rng([material.seed, draw]))
        return [(_caption(material, name, policy, shares), one.numpy()) for one, shares in zip(x, y)]

    whole = [made(material.policy, f"all, {draw}", draw) for draw in range(1, copies + 1)]
    alone = [made(Policy(((name, step),)), name, 0) for name, step in material.policy.steps]
    return [
        Changed(row, _class(material, row), unit[i].numpy(), tuple(w[i] for w in whole), tuple(a[i] for a in alone))
        for i, row in enumerate(rows)
    ]


def unit_picture(material: Material, part: str, row: int) -> Pixels:
    """One sample as it was read, black to white of training."""
    x: Pixels = material.unit(part, [row])[0].numpy()
    return x


def _caption(material: Material, name: str, policy: Policy, shares: Tensor) -> str:
    """Of what is mixed the two classes: "70% 5, 30% 2"."""
    if not policy.mixing or material.task != "classes":
        return name
    top, at = shares.topk(min(2, len(shares)))
    return ", ".join(f"{share:.0%} {_named(material, int(c))}" for share, c in zip(top.tolist(), at) if share > 0.005)


def _targets(material: Material, rows: list[int]) -> Tensor:
    y = material.train.y[rows]
    return F.one_hot(y, 1 + int(material.train.y.max())).float() if material.task == "classes" else y.float()


def _different(material: Material, samples: int) -> list[int]:
    """Rows of training, one of each class in turn."""
    order = np.random.default_rng(material.seed).permutation(len(material.train))
    if material.task != "classes":
        return [int(row) for row in order[:samples]]
    labels = material.labels("train")[order]
    turn = np.zeros(len(order), np.int64)
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return [int(row) for row in order[np.lexsort((labels, turn))][:samples]]


def _class(material: Material, row: int) -> str:
    value = material.train.y[row]
    return _named(material, int(value)) if material.task == "classes" else f"{float(value.flatten()[0]):.3g}"


def _named(material: Material, c: int) -> str:
    return material.classes[c] if material.classes else str(c)
