"""Which rows go into training, validation and test: class by class, at random, group by group, or by time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from torchdoctor.errors import BadParts

Rows = NDArray[np.int64]
SplitBy = Literal["stratified", "random", "group", "time"]


def cut(
    y: Tensor,
    shares: Sequence[float],
    seed: int,
    by: SplitBy = "stratified",
    groups: NDArray[Any] | None = None,
    times: NDArray[Any] | None = None,
) -> list[Rows]:
    """Row numbers of each share; every row is in one of them. y, groups, times: (N, ...), of each sample.

    Raises BadParts when the split goes by groups or times that are not there.
    """
    if by == "group":
        return grouped(_there(groups, "group"), shares, seed)
    if by == "time":
        return in_time(_there(times, "time"), shares)
    if by == "random":
        order = np.random.default_rng(seed).permutation(len(y))
        return np.split(order, _edges(shares, len(y)))
    return stratified(y, shares, seed)


def stratified(y: Tensor, shares: Sequence[float], seed: int) -> list[Rows]:
    """Row numbers of each share, in random order; class by class where the targets are whole numbers."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(y))
    classes = y.numpy()[order] if y.ndim == 1 and not y.is_floating_point() else np.zeros(len(y), np.int64)
    pieces: list[list[Rows]] = [[] for _ in shares]
    for label in np.unique(classes):
        members = order[classes == label]
        for piece, rows in zip(pieces, np.split(members, _edges(shares, len(members)))):
            piece.append(rows)
    return [random.permutation(np.concatenate(piece)) for piece in pieces]


def grouped(groups: NDArray[Any], shares: Sequence[float], seed: int) -> list[Rows]:
    """Row numbers of each share; no group is in two of them. The groups come in random order, and each goes to the
    part that lacks most, so the shares are met as closely as the sizes of the groups let them."""
    random = np.random.default_rng(seed)
    names, group_of, sizes = np.unique(groups.astype(str), return_inverse=True, return_counts=True)
    if len(names) < sum(share > 0 for share in shares):
        raise BadParts(f"data.group has {len(names)} groups, too few for {len(shares)} parts: no group may be in two.")
    lacking = np.asarray(shares, float) / np.sum(shares) * len(groups)
    home = np.empty(len(names), np.int64)
    for group in random.permutation(len(names)):
        home[group] = np.argmax(np.where(np.asarray(shares) > 0, lacking, -np.inf))
        lacking[home[group]] -= sizes[group]
    return [random.permutation(np.flatnonzero(home[group_of] == part)) for part in range(len(shares))]


def in_time(times: NDArray[Any], shares: Sequence[float]) -> list[Rows]:
    """Row numbers of each share, from the earliest to the latest; what happened at one time stays together, so that
    every time of a part is before every time of the next."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    # To the first of the samples that share the time of the edge.
    edges = [int(np.searchsorted(ordered, ordered[e])) if e < len(ordered) else e for e in _edges(shares, len(times))]
    if edges and shares[0] > 0 and edges[0] == 0:
        raise BadParts("data.time: too many samples have the earliest time; a split by time leaves none to train on.")
    return np.split(order, edges)


def _edges(shares: Sequence[float], count: int) -> NDArray[np.int64]:
    edges: NDArray[np.int64] = np.round(np.cumsum(shares)[:-1] / np.sum(shares) * count).astype(np.int64)
    return edges


def _there(values: NDArray[Any] | None, name: str) -> NDArray[Any]:
    if values is None:
        raise BadParts(f"data.split_by = {name!r}, but these data have no {name}s. Name the column: data.{name}.")
    return values
