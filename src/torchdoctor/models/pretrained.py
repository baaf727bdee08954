"""Weights that were learnt before, put into a model; the head may have another number of classes.

From a safetensors file, a checkpoint folder of ours, a file of torch.save (read with weights_only: nothing in it is
executed) or torchvision's weights by name ("ResNet18_Weights.IMAGENET1K_V1").
May not: train, freeze.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from torchdoctor.errors import BadCheckpoint, one_line

WRAPPERS = ("_orig_mod.", "module.", "model.")  # what torch.compile, DDP and an output activation put before names
INSIDE = ("state_dict", "model_state_dict", "model", "weights")  # where people keep the weights in a file of torch.save
FOLDERS = ("", "best", "last")  # below a run, where its checkpoints are


def load_pretrained(model: nn.Module, source: str) -> list[str]:
    """Put the weights of `source` into the model, in place; gives the names of tensors that stay as they were drawn,
    because the head has another shape there.

    Raises BadCheckpoint when there is no such file, when it is damaged, and when it is of another model: then the model
    is as it was.
    """
    given = {_bare(name): tensor for name, tensor in weights_of(source).items()}
    own = {_bare(name): tensor for name, tensor in model.state_dict().items()}
    other = [name for name, tensor in own.items() if name not in given or given[name].shape != tensor.shape]
    head = _part(list(own)[-1]) if own else ""
    if unlike := [name for name in (*other, *(n for n in given if n not in own)) if _part(name) != head]:
        raise BadCheckpoint(f"{source} is of another model: {_difference(unlike[0], own, given)}.")
    if len(other) == len(own):
        raise BadCheckpoint(f"{source} is of another model: none of its {len(given)} tensors fits.")
    with torch.no_grad():
        for name in own.keys() - set(other):
            own[name].copy_(given[name])
    return [name for name in model.state_dict() if _bare(name) in other]


def weights_of(source: str) -> dict[str, Tensor]:
    """{name: tensor} of a file, a checkpoint folder or torchvision's name. Raises BadCheckpoint."""
    path = Path(source)
    if path.is_dir():
        files = [path / folder / "model.safetensors" for folder in FOLDERS]
        path = next((file for file in files if file.is_file()), path)
    if not path.is_file():
        return _of_torchvision(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of pickle protocols that it then refuses
            found = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except (OSError, SafetensorError) as error:
        raise BadCheckpoint(f"{path} cannot be read as safetensors: {one_line(error)}. Write it anew.") from None
    except Exception as error:  # noqa: BLE001 - bytes that are no checkpoint can break torch's reader in any way
        raise BadCheckpoint(
            f"{path} cannot be read without executing what is in it ({type(error).__name__}). "
            "Save the state_dict() alone, best as safetensors."
        ) from None
    return _tensors(found, path)


def _tensors(found: Any, path: Path) -> dict[str, Tensor]:
    """The state dict in what a file held: itself, or under one of the usual names."""
    for key in INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    if not isinstance(found, Mapping) or not found or not all(isinstance(t, Tensor) for t in found.values()):
        raise BadCheckpoint(f"{path} holds no state_dict: save model.state_dict().")
    return dict(found)


def _of_torchvision(name: str) -> dict[str, Tensor]:
    if "_Weights." not in name:
        raise BadCheckpoint(
            f"There is no file or checkpoint {name!r}. Give a path, or torchvision's weights, such as "
            "ResNet18_Weights.IMAGENET1K_V1."
        )
    from torchvision.models import get_weight

    try:
        weights = get_weight(name)
    except (ValueError, KeyError, AttributeError) as error:
        raise BadCheckpoint(f"torchvision has no weights {name!r}: {one_line(error)}.") from None
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except Exception as error:  # noqa: BLE001 - a network fails in any way
        raise BadCheckpoint(
            f"{name} could not be fetched from {weights.url}: {one_line(error)}. Fetch it by hand and give its path."
        ) from None


def _bare(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name


def _part(name: str) -> str:
    """The part of the model, as the model's own forward() would call it: "classifier" of classifier.6.weight."""
    return name.partition(".")[0]


def _difference(name: str, own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    there, here = (tuple(d[name].shape) if name in d else None for d in (given, own))
    if there is None:
        return f"it has no {name}, which is {here} here"
    return f"{name} is {there} there" + (f" and {here} here" if here is not None else " and does not exist here")
