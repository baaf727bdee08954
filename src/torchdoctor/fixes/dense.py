"""Where a model turns a map of features into a row of numbers, and what works on that row.

May not: train, judge, print, decide by the name of a class.
"""

from __future__ import annotations

import torch
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.output import Pass, observed
from torchdoctor.fixes.surgery import Executed, is_layer
from torchdoctor.models.layers import put
from torchdoctor.probes.bench import Batch


def with_global_pooling(model: nn.Module, batch: Batch) -> nn.Module:
    """The model with the mean of each channel and one layer for all its dense layers. Changes `model`; work on a copy.

    Raises BadParts when there is no map before the dense layers, when there is nothing to save, and when something that
    is no module works between them.
    """
    seen = observed(model, batch)
    dense = _dense_layers(seen)
    channels, height, width = _map_before(seen, dense[0])
    if height * width == 1 and len(dense) == 1:
        raise BadParts(f"Layer {dense[0].name!r} reads a map of one pixel, and is the only one: it is pooled already.")
    between = _modules_between(seen, dense[0], dense[-1])
    first, last = dense[0].module, dense[-1].module
    with torch.random.fork_rng():
        new = nn.Linear(channels, dense[-1].output.shape[1], bias=getattr(last, "bias", None) is not None)
    pooled = nn.Sequential(nn.Unflatten(1, (channels, height, width)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), new)
    for executed in between:
        model = put(model, executed.name, nn.Identity())
    return put(model, dense[0].name, pooled.to(next(first.parameters())))


def _dense_layers(seen: Pass) -> list[Executed]:
    """The layers behind the last one that gives a map."""
    layers = [e for e in seen.ran if is_layer(e.module)]
    maps = [i for i, e in enumerate(layers) if e.output.ndim == 4]
    dense = layers[maps[-1] + 1 :] if maps else []
    if not dense or any(e.output.ndim != 2 or e.calls > 1 for e in dense):
        raise BadParts("The model has no dense layers behind a map of features, so there is nothing to pool for.")
    return dense


def _map_before(seen: Pass, dense: Executed) -> tuple[int, int, int]:
    """(channels, height, width) of the last map before the dense layer; it must be all that the layer reads."""
    maps = [c.result for c in seen.calls[: dense.span[0]] if c.result.ndim == 4]
    weight = next(dense.module.parameters())
    _, channels, height, width = maps[-1].shape
    if channels * height * width != weight.shape[1]:
        raise BadParts(
            f"Layer {dense.name!r} reads {weight.shape[1]} numbers, not the {tuple(maps[-1].shape)} before it."
        )
    return channels, height, width


def _modules_between(seen: Pass, first: Executed, last: Executed) -> list[Executed]:
    """All that runs behind the first dense layer up to the last one. A function call there, such as torch.relu, would
    stay and act on the output; so would the loss of a module that is called elsewhere too be felt there."""
    between = [e for e in seen.ran if first.span[0] < e.span[0] <= last.span[0]]
    if shared := [e.name for e in between if e.calls > 1]:
        raise BadParts(
            f"Module {shared[0]!r} between the dense layers is called elsewhere too; change forward() by hand."
        )
    inside = {i for e in seen.ran for i in range(*e.span)}
    loose = [seen.calls[i] for i in range(first.span[1], last.span[0]) if i not in inside]
    for call in loose:
        source = call.source
        if source is None or not torch.equal(source.flatten(), call.result.flatten()):
            name = getattr(call.fn, "__name__", "a function")
            raise BadParts(f"forward() calls {name} between its dense layers; put one layer in their place by hand.")
    return between
