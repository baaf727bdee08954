"""Do the axes of the inputs lie where the first layer looks for neighbours?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.probes.batch import tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe

FEW = 4  # channels of a picture, at most
VALUES = 1_000_000  # looked at, at most


@probe(
    passes=1,
    measures={
        "axis_roughness": '1: mean square of what neighbours along "axis 1", "axis 2" ... of the inputs differ by, '
        "over that of any two values; 0 for equal neighbours, 1 for unrelated ones",
        "interleaved_roughness": "1: the same along the rows of a picture, of rows as far apart as it has channels",
    },
)
def axis_order(bench: Bench) -> Iterator[Measurement | Fact]:
    """How smooth the first batch is along each axis, for a model whose first layer is a convolution or a recurrent one
    and reads the batch as it comes. Nothing of models that read rows of numbers, where no value has neighbours.

    The fact `first_layer` says what it is: name, the axes along which it looks for neighbours, the axis of its
    channels, and the shape of what it reads.
    """
    x = next((t for t in tensors_in(bench.batches[0].inputs) if t.is_floating_point() and t.ndim in (3, 4)), None)
    found = None if x is None else _first_layer(bench, x)
    if x is None or found is None:
        return
    values = x[: max(1, VALUES * len(x) // max(1, x.numel()))].double()
    whole = 2 * values.var(correction=0)
    if not 0 < float(whole) < float("inf"):
        return
    yield Fact("first_layer", found)
    for axis in range(1, x.ndim):
        if x.shape[axis] > 1:
            yield Measurement("axis_roughness", _between(values, axis, 1) / float(whole), f"axis {axis}")
    channels = x.shape[1]
    if x.ndim == 4 and 1 < channels <= FEW and x.shape[2] > 2 * channels:
        yield Measurement("interleaved_roughness", _between(values, 2, channels) / float(whole))


def _between(values: Tensor, axis: int, lag: int) -> float:
    n = values.shape[axis]
    return float((values.narrow(axis, lag, n - lag) - values.narrow(axis, 0, n - lag)).square().mean())


def _first_layer(bench: Bench, x: Tensor) -> dict[str, Any] | None:
    """The first layer with weights, where it is handed values in the shape and order of `x`."""
    found: list[dict[str, Any]] = []

    def look(name: str, layer: nn.Module, arguments: Any) -> None:
        entering = next(tensors_in(arguments), None)
        if not found:
            as_it_comes = entering is not None and entering.shape == x.shape and bool(torch.equal(entering, x))
            found.append({"name": name, "shape": list(x.shape), **_axes(layer, x.ndim)} if as_it_comes else {})

    hooks = [
        layer.register_forward_pre_hook(lambda m, args, n=name: look(n, m, args))
        for name, layer in bench.parts.model.named_modules()
        if any(p.ndim > 1 for p in layer.parameters(recurse=False))
    ]
    with hooked(hooks), torch.no_grad():
        bench.parts.model(*bench.batches[0].inputs)
    return found[0] if found and found[0].get("along") else None


def _axes(layer: nn.Module, ndim: int) -> dict[str, Any]:
    """along: axes of neighbours; channels: the other one. Both by what torch documents of its layers."""
    if isinstance(layer, nn.RNNBase) and ndim == 3 and layer.batch_first:
        return {"along": [1], "channels": 2}
    if isinstance(layer, (nn.Conv1d, nn.Conv2d)) and layer.weight.ndim == ndim and max(layer.kernel_size) > 1:
        return {"along": list(range(2, ndim)), "channels": 1}
    return {"along": [], "channels": 0}
