"""The same network with more units in every hidden layer, for experiments on what its width costs it.

May not: train, judge, print, change the model it is handed.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.models.layers import put
from torchdoctor.probes.batch import Batch, first_tensor, tensors_in

HIDDEN = 64  # units of the layer that a model without any is given
Convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
Mixing = (nn.Linear, *Convolution, nn.RNNBase, nn.Embedding)
BatchNorm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def hidden_widths(model: nn.Module, batch: Batch) -> dict[str, int]:
    """Units of every layer of weights but the last, by name, in the order of execution; {} where there is only one."""
    names = [name for name, _ in _mixing(model, batch)]
    return {name: _width(model.get_submodule(name)) for name in names[:-1]}


def widened(model: nn.Module, batch: Batch, factor: int) -> nn.Module | None:
    """A copy, its layers drawn anew by torch's defaults, with `factor` times the units in every hidden layer; a model
    of one dense layer gets a hidden one. None where the layers do not form one chain from the inputs to the outputs,
    so that inputs and outputs of the same shapes would not fit any more."""
    mixing = _mixing(model, batch)
    if not mixing or any(type(layer) not in _KNOWN for layer in model.modules() if _has_width(layer)):
        return None
    outside, last = {name for name, entering in mixing if not entering}, mixing[-1][0]
    twin = copy.deepcopy(model)
    with torch.random.fork_rng(devices=[]):
        for name, layer in list(twin.named_modules()):
            if not _has_width(layer):
                continue
            into, out = 1 if name in outside else factor, 1 if name == last else factor
            new = _deeper(layer) if len(mixing) == 1 else _KNOWN[type(layer)](layer, into, out)
            if new is None:
                return None
            twin = put(twin, name, new.to(next(layer.parameters(), torch.empty(0))).train(layer.training))
    return twin if _same_shape(model, twin, batch) else None


def _mixing(model: nn.Module, batch: Batch) -> list[tuple[str, bool]]:
    """(name, whether what enters it was made by other weights) of all layers of weights, in the order of execution."""
    found: dict[str, bool] = {}

    def look(name: str, arguments: Any) -> None:
        first = next(tensors_in(arguments), None)
        if first is not None:
            found.setdefault(name, first.requires_grad)

    hooks = [
        layer.register_forward_pre_hook(lambda m, args, n=name: look(n, args))
        for name, layer in model.named_modules()
        if isinstance(layer, Mixing)
    ]
    with hooked(hooks), torch.enable_grad():
        model(*batch.inputs)
    return list(found.items())


def _has_width(layer: nn.Module) -> bool:
    return next(layer.parameters(recurse=False), None) is not None


def _width(layer: nn.Module) -> int:
    names = ("out_features", "out_channels", "hidden_size", "embedding_dim")
    return int(next(getattr(layer, name) for name in names if hasattr(layer, name)))


def _linear(layer: Any, into: int, out: int) -> nn.Module:
    return nn.Linear(into * layer.in_features, out * layer.out_features, layer.bias is not None)


def _deeper(layer: nn.Module) -> nn.Module | None:
    if not isinstance(layer, nn.Linear):
        return None
    return nn.Sequential(nn.Linear(layer.in_features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, layer.out_features))


def _convolution(layer: Any, into: int, out: int) -> nn.Module | None:
    if layer.groups != 1:
        return None
    settings = {n: getattr(layer, n) for n in ("kernel_size", "stride", "padding", "dilation", "padding_mode")}
    made: nn.Module = type(layer)(
        into * layer.in_channels, out * layer.out_channels, bias=layer.bias is not None, **settings
    )
    return made


def _recurrent(layer: Any, into: int, out: int) -> nn.Module:
    settings = {n: getattr(layer, n) for n in ("num_layers", "bias", "batch_first", "dropout", "bidirectional")}
    settings |= {"nonlinearity": layer.nonlinearity} if isinstance(layer, nn.RNN) else {}
    made: nn.Module = type(layer)(into * layer.input_size, out * layer.hidden_size, **settings)
    return made


def _embedding(layer: Any, _into: int, out: int) -> nn.Module:
    return nn.Embedding(layer.num_embeddings, out * layer.embedding_dim, layer.padding_idx)


def _batch_norm(layer: Any, _into: int, out: int) -> nn.Module:
    made: nn.Module = type(layer)(out * layer.num_features, layer.eps, layer.momentum, layer.affine)
    return made


def _layer_norm(layer: Any, _into: int, out: int) -> nn.Module | None:
    return nn.LayerNorm(out * layer.normalized_shape[0], layer.eps) if len(layer.normalized_shape) == 1 else None


_KNOWN: dict[type[nn.Module], Callable[[Any, int, int], nn.Module | None]] = {
    nn.Linear: _linear, **dict.fromkeys(Convolution, _convolution), nn.RNN: _recurrent, nn.GRU: _recurrent,
    nn.LSTM: _recurrent, nn.Embedding: _embedding, **dict.fromkeys(BatchNorm, _batch_norm), nn.LayerNorm: _layer_norm,
}  # fmt: skip


def _same_shape(model: nn.Module, twin: nn.Module, batch: Batch) -> bool:
    try:
        with torch.no_grad():
            one, other = (first_tensor(m(*batch.inputs)) for m in (model, twin))
    except (RuntimeError, ValueError, IndexError):
        return False
    return one.shape == other.shape and math.isfinite(float(Tensor.sum(other)))
