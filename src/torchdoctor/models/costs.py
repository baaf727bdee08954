"""What each layer of a model costs: numbers to learn, arithmetic, memory, time.

FLOPs are torch.utils.flop_counter's (flops.py says what counts). Memory is what autograd really keeps for backward.
May not: train, change the model (it works on a copy), move the random numbers of others.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._pytree import tree_leaves

from torchdoctor.errors import BadParts, one_line
from torchdoctor.models.calls import Called, called_modules
from torchdoctor.models.flops import flops_of
from torchdoctor.models.receptive_field import receptive_fields
from torchdoctor.models.timing import REPEATS, seconds_of

Inputs = tuple[Any, ...]


@dataclass(frozen=True)
class Layer:
    """One layer: a module that calls no other, or what a module does beside those it calls.

    output: shape of its last output, the batch included. parameters, trainable: numbers in it, and those with
    requires_grad; each tensor counts once. flops, seconds: one forward pass of the batch in eval mode. kept_bytes: what
    it makes autograd keep for backward. field: receptive field, (height, width) in pixels; None where inputs are no
    images. passes: it gives what it was given, as Identity does, and dropout in eval mode.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    trainable: int
    flops: int
    kept_bytes: int
    seconds: float
    field: tuple[int, int] | None
    passes: bool


@dataclass(frozen=True)
class Costs:
    """layers: in the order of their calls. samples: in the batch. seconds: of the whole pass, measured by itself.
    train_reached, eval_reached: numbers of the model that its output depends on in each mode: a head that only training
    uses is in the first alone."""

    layers: tuple[Layer, ...]
    samples: int
    parameters: int
    trainable: int
    parameter_bytes: int
    flops: int
    kept_bytes: int
    seconds: float
    train_reached: int
    eval_reached: int


def costs(model: nn.Module, inputs: Inputs, *, repeats: int = REPEATS) -> Costs:
    """Measure model(*inputs). Raises BadParts when the model cannot take the inputs."""
    twin = copy.deepcopy(model).eval()
    own = list(model.parameters())
    with torch.random.fork_rng():
        ran = _ran(twin, inputs)
        flops, fields = flops_of(twin, inputs), _fields(twin, inputs)
        seconds, whole = seconds_of(twin, inputs, repeats)
        trained = copy.deepcopy(twin)  # training mode moves running statistics
        kept = _kept(trained.train(), inputs)
        reached = [_reached(trained.train(training), inputs) for training in (True, False)]
    owned = _owned(twin, ran)
    layers = tuple(
        Layer(
            c.name, type(c.module).__name__, c.output, *owned.get(c.name, (0, 0)), flops.get(c.name, 0),
            kept.get(c.name, 0), seconds.get(c.name, 0.0), fields.get(c.name), c.passes,
        )
        for c in ran
        if c.is_leaf or owned.get(c.name) or flops.get(c.name)
    )  # fmt: skip
    return Costs(
        layers, _samples(inputs), sum(p.numel() for p in own), sum(p.numel() for p in own if p.requires_grad),
        sum(p.numel() * p.element_size() for p in own), sum(flops.values()), sum(kept.values()), whole, *reached,
    )  # fmt: skip


def _ran(model: nn.Module, inputs: Inputs) -> list[Called]:
    try:
        with torch.no_grad():
            return called_modules(model, inputs)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        shapes = ", ".join(str(tuple(x.shape)) if isinstance(x, Tensor) else type(x).__name__ for x in inputs)
        raise BadParts(
            f"The model cannot take inputs of {shapes}: {one_line(error)}. Give it what it was made for."
        ) from None


def _kept(model: nn.Module, inputs: Inputs) -> dict[str, int]:
    """Bytes by the module that runs when autograd asks to keep a tensor; each storage once, weights never."""
    running = [""]
    seen = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    alive: list[Tensor] = []  # so that no address is given out twice
    kept: dict[str, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            alive.append(tensor)
            kept[running[-1]] = kept.get(running[-1], 0) + storage.nbytes()
        return tensor

    with torch.enable_grad(), saved_tensors_hooks(pack, lambda tensor: tensor):
        called_modules(model, inputs, running=running)
    return kept


def _reached(model: nn.Module, inputs: Inputs) -> int:
    """Numbers of the parameters that the output has a gradient for, frozen ones too."""
    parameters = [p.requires_grad_(True) for p in model.parameters()]
    with torch.enable_grad():
        outputs = [t for t in tree_leaves(model(*inputs)) if isinstance(t, Tensor) and t.requires_grad]
        if not outputs:
            return 0
        grads = torch.autograd.grad([t.sum() for t in outputs], parameters, allow_unused=True)
    return sum(p.numel() for p, g in zip(parameters, grads) if g is not None)


def _fields(model: nn.Module, inputs: Inputs) -> dict[str, tuple[int, int]]:
    image = inputs[0]
    alone = len(inputs) == 1 and isinstance(image, Tensor) and image.ndim == 4 and image.is_floating_point()
    return receptive_fields(model, image) if alone else {}


def _owned(model: nn.Module, ran: list[Called]) -> dict[str, tuple[int, int]]:
    """(all, trainable) numbers by the innermost module that ran and holds them; each tensor once."""
    names = {c.name for c in ran}
    owned: dict[str, tuple[int, int]] = {}
    for parameter, tensor in model.named_parameters():
        owner = parameter.rpartition(".")[0]
        while owner not in names and owner:
            owner = owner.rpartition(".")[0]
        every, trainable = owned.get(owner, (0, 0))
        owned[owner] = (every + tensor.numel(), trainable + tensor.numel() * tensor.requires_grad)
    return owned


def _samples(inputs: Inputs) -> int:
    return next((len(x) for x in inputs if isinstance(x, Tensor) and x.ndim), 1)
