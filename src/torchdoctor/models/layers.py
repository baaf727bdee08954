"""The layers that a model takes by name: activation, normalisation, and what comes after the last layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

from torchdoctor.errors import BadParts, did_you_mean
from torchdoctor.models.names import ACTIVATIONS, NORMALIZATIONS, OUTPUTS

_AFTER_LAST: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "log-softmax": lambda: nn.LogSoftmax(dim=1),
    "sigmoid": nn.Sigmoid,
    "relu": nn.ReLU,
}


def activation(name: str) -> nn.Module:
    """A new activation module. Raises BadParts for an unknown name."""
    if name not in ACTIVATIONS:
        raise BadParts(f"There is no activation {name!r}. {did_you_mean(name, ACTIVATIONS)}")
    made = getattr(nn, ACTIVATIONS[name].partition(":")[2])()
    assert isinstance(made, nn.Module)
    return made


def normalization(name: str, channels: int, *, images: bool) -> nn.Module | None:
    """What normalises (N, C, H, W) for images, else (N, C); None for "none".

    batch: each channel over the batch (arXiv:1502.03167). layer: each sample over all its channels and pixels
    (arXiv:1607.06450). group: each sample over groups of channels (arXiv:1803.08494).
    """
    if name not in NORMALIZATIONS:
        raise BadParts(f"There is no normalization {name!r}. {did_you_mean(name, NORMALIZATIONS)}")
    if name == "none":
        return None
    if name == "batch":
        return nn.BatchNorm2d(channels) if images else nn.BatchNorm1d(channels)
    if name == "layer":
        return nn.GroupNorm(1, channels) if images else nn.LayerNorm(channels)
    return nn.GroupNorm(_groups(channels), channels)


def _groups(channels: int) -> int:
    """At most 32, as in the paper, of at least four channels each: one of a single channel would lose its mean."""
    return max(n for n in range(1, 33) if channels % n == 0 and (n == 1 or channels // n >= 4))


def named(**layers: nn.Module | None) -> nn.Sequential:
    """The layers one after the other, by their names; those that are None are left out."""
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers.items() if layer is not None))


def replaced(model: nn.Module, kind: type[nn.Module], make: Callable[[Any], nn.Module]) -> nn.Module:
    """The model with make(old) in the place of every child of that class, in place."""
    for owner in list(model.modules()):
        for name, child in list(owner.named_children()):
            if isinstance(child, kind):
                setattr(owner, name, make(child))
    return model


def put(model: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """The model with `module` in the place called `name`; "" is the model itself."""
    if not name:
        return module
    owner, _, last = name.rpartition(".")
    setattr(model.get_submodule(owner), last, module)
    return model


def with_output(model: nn.Module, output: str) -> nn.Module:
    """The model with an activation after its last layer; "none" gives it back as it is.

    An nn.Sequential grows by one layer named "output", so that the other layers keep their names.
    """
    if output == "none":
        return model
    if output not in _AFTER_LAST:
        raise BadParts(f"There is no output activation {output!r}. {did_you_mean(output, OUTPUTS)}")
    plain = isinstance(model, nn.Sequential) and type(model).forward is nn.Sequential.forward
    layers = [(name, layer) for name, layer in model._modules.items() if layer is not None]
    return nn.Sequential(OrderedDict([*(layers if plain else [("model", model)]), ("output", _AFTER_LAST[output]())]))


def image_shape(input_shape: tuple[int, ...], model: str, smallest: int) -> tuple[int, int, int]:
    """(channels, height, width). Raises BadParts when the inputs are no images or too small for the model."""
    if len(input_shape) != 3 or min(input_shape[1:]) < smallest:
        raise BadParts(
            f"{model} takes images (channels, height, width) of at least {smallest} x {smallest} pixels; "
            f"these inputs are {tuple(input_shape)}."
        )
    channels, height, width = input_shape
    return channels, height, width
