"""Which pixels a unit of a layer can see, measured: whatever turns NaN when a row or column of the input is NaN.

This holds for any architecture: strides, dilation, branches and skips need not be known.
May not: change the model.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from torchdoctor.explain.subject import outputs_of

Span = tuple[int, int]


@dataclass(frozen=True)
class Fields:
    """rows[i], columns[j]: first and last pixel (inclusive) of the input that the unit at row i, column j can see;
    (0, 0) where it sees padding alone."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def crop(self, x: Tensor, row: int, column: int) -> Tensor:
        """What the unit sees of x (C, H, W)."""
        (top, bottom), (left, right) = self.rows[row], self.columns[column]
        return x[:, top : bottom + 1, left : right + 1]

    @property
    def size(self) -> tuple[int, int]:
        """The largest, as (height, width) in pixels."""
        return max(b - a + 1 for a, b in self.rows), max(b - a + 1 for a, b in self.columns)


def placed(maps: Tensor, seen: Fields, size: Span) -> Tensor:
    """Maps (N, 1, h, w) over a picture of `size` (H, W): each unit where the middle of what it sees is.

    A layer without padding does not see the edges as its middle; stretched over the picture its map would be shifted.
    """
    rows, columns = (_weights(spans, length) for spans, length in zip((seen.rows, seen.columns), size))
    return torch.einsum("Hh,nchw,Ww->ncHW", rows.to(maps), maps, columns.to(maps))


def fields(model: nn.Module, layers: tuple[str, ...], x: Tensor) -> dict[str, Fields]:
    """{layer: fields} of layers that give maps, for inputs like x (1, C, H, W). One batch of H + W pictures."""
    height, width = x.shape[2:]
    probes = x.expand(height + width, *x.shape[1:]).clone()
    for i in range(height):
        probes[i, :, i, :] = torch.nan
    for j in range(width):
        probes[height + j, :, :, j] = torch.nan
    # In double precision: the fast algorithms of single precision work on tiles, and would spread a NaN over its tile.
    maps = outputs_of(copy.deepcopy(model).double(), probes.double(), layers)
    return {layer: _of(maps[layer].isnan(), height) for layer in layers}


def _of(touched: Tensor, height: int) -> Fields:
    """touched: (H + W, channels, h, w)."""
    rows, columns = touched[:height].any(1).any(2), touched[height:].any(1).any(1)
    return Fields(tuple(_span(unit) for unit in rows.T), tuple(_span(unit) for unit in columns.T))


def _span(seen: Tensor) -> Span:
    where = seen.nonzero()[:, 0]
    return (int(where[0]), int(where[-1])) if len(where) else (0, 0)


def _weights(spans: tuple[Span, ...], length: int) -> Tensor:
    """(length, units): how much each unit counts at each pixel, by linear interpolation between middles."""
    middles = _middles(spans, length)
    if len(middles) == 1:
        return torch.ones(length, 1)
    at = (torch.arange(length) - middles[0]) / (middles[1] - middles[0])  # in units: their middles are evenly spaced
    at = at.clamp(0, len(middles) - 1)
    low = at.floor().long().clamp(max=len(middles) - 2)
    share = at - low
    weights = torch.zeros(length, len(middles))
    weights[torch.arange(length), low] = 1 - share
    weights[torch.arange(length), low + 1] += share
    return weights


def _middles(spans: tuple[Span, ...], length: int) -> Tensor:
    """Of units that see no edge, carried on evenly to those that do; spread over the picture where nearly all do."""
    inside = [i for i, (first, last) in enumerate(spans) if first > 0 and last < length - 1]
    if len(inside) < 2:
        return (torch.arange(len(spans)) + 0.5) * length / len(spans) - 0.5
    first, last = (sum(spans[i]) / 2 for i in (inside[0], inside[-1]))
    stride = (last - first) / (inside[-1] - inside[0])
    return first + stride * (torch.arange(len(spans)) - inside[0])
