"""What layers see: their filters, their maps of one sample, and the patches of the data that excite them most.

May not: change the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from torchdoctor.explain.receptive import fields
from torchdoctor.explain.subject import outputs_of

CHANNELS = 16  # shown of a layer
PATCHES = 6
BATCH = 128


@dataclass(frozen=True, eq=False)
class Patch:
    """sample: its number in the data. row, column: of the unit. excitation: its output. pixels: (C, h, w), what it can
    see there."""

    sample: int
    row: int
    column: int
    excitation: float
    pixels: Tensor


@dataclass(frozen=True, eq=False)
class SeenLayer:
    """filters: (out, in, h, w), of a few channels. maps: (channels, h, w) of the sample. patches: {channel: the most
    exciting patches, of different samples, best first}. field: largest receptive field, (height, width) in pixels."""

    layer: str
    type: str
    channels: int
    filters: Tensor
    maps: Tensor
    patches: dict[int, tuple[Patch, ...]]
    field: tuple[int, int]


def seen(model: nn.Module, layers: tuple[str, ...], x: Tensor, data: Tensor) -> tuple[SeenLayer, ...]:
    """Of layers that give maps, for one sample x (1, C, H, W) and data (N, C, H, W) to look for patches in."""
    if not layers:
        return ()
    modules, of_sample = dict(model.named_modules()), outputs_of(model, x, layers)
    reach = fields(model, layers, x)
    best = _most_exciting(model, layers, data)
    found = []
    for name in layers:
        maps = of_sample[name][0, :CHANNELS]
        patches = {
            channel: tuple(
                Patch(n, row, column, value, reach[name].crop(data[n], row, column).clone())
                for n, row, column, value in places
            )
            for channel, places in enumerate(best[name])
        }
        weight = modules[name].weight
        assert isinstance(weight, Tensor)
        kind, size = type(modules[name]).__name__, reach[name].size
        found.append(SeenLayer(name, kind, len(of_sample[name][0]), weight.detach()[:CHANNELS], maps, patches, size))
    return tuple(found)


Place = tuple[int, int, int, float]  # sample, row, column, excitation


def _most_exciting(model: nn.Module, layers: tuple[str, ...], data: Tensor) -> dict[str, list[list[Place]]]:
    """{layer: by channel the PATCHES samples with the highest output anywhere, and where}."""
    tops: dict[str, list[Tensor]] = {name: [] for name in layers}
    places: dict[str, list[Tensor]] = {name: [] for name in layers}
    widths: dict[str, int] = {}
    for batch in torch.split(data, BATCH):
        maps = outputs_of(model, batch, layers)
        for name in layers:
            widths[name] = maps[name].shape[-1]
            top, at = maps[name][:, :CHANNELS].flatten(2).max(2)
            tops[name].append(top)
            places[name].append(at)
    return {name: _chosen(torch.cat(tops[name]), torch.cat(places[name]), widths[name]) for name in layers}


def _chosen(top: Tensor, at: Tensor, width: int) -> list[list[Place]]:
    """top, at: (N, channels) highest output and its place, row * width + column."""
    order = top.argsort(stable=True, dim=0, descending=True)[:PATCHES]
    return [
        [(int(n), int(at[n, c]) // width, int(at[n, c]) % width, float(top[n, c])) for n in order[:, c]]
        for c in range(top.shape[1])
    ]
