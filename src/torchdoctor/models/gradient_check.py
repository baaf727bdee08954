"""Are the gradients of layers of one's own right? Each is compared with finite differences, in float64.

torch.autograd.gradcheck decides (fast mode: a random direction at two places for each tensor); where it says no, single
numbers are compared until the worst is found. A straight-through estimator is wrong on purpose and is reported too.
May not: train, change the model (it works on a copy), move the random numbers of others.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError, gradcheck
from torch.func import functional_call
from torch.utils._pytree import tree_leaves

from torchdoctor.errors import BadParts, one_line
from torchdoctor.models.hooks import hooked

EPS = 1e-6  # step of a finite difference, as in torch
ATOL, RTOL = 1e-5, 1e-3  # as in torch
LOOKED_AT = 64  # numbers of a tensor that are compared to find the worst
PLACES = 3  # where all have to disagree; at one of them a kink was crossed in about one network of a hundred
JITTER = 1e-2  # of a tensor's spread, by which it is moved off kinks
Outputs = tuple[Tensor, ...]


@dataclass(frozen=True)
class WrongGradient:
    """layer: name of the module, kind: its class. of: "input 0" or the name of a parameter. at: index in that tensor.

    analytic: what backward gives there, numeric: what a small change really does, both for one random sum of outputs.
    """

    layer: str
    kind: str
    of: str
    at: tuple[int, ...]
    analytic: float
    numeric: float

    def __str__(self) -> str:
        where = f"{self.of}{list(self.at)}" if self.at else self.of
        return (
            f"Layer {self.layer or 'the model'!r} ({self.kind}): backward gives {self.analytic:.4g} for {where}, and a "
            f"small change of it gives {self.numeric:.4g}."
        )


def check_gradients(model: nn.Module, inputs: tuple[Any, ...]) -> list[WrongGradient]:
    """Compare the gradients of every layer that is not torch's own, on what reaches it when model(*inputs) runs.

    In eval mode. Of layers that lie in one another the inner ones are named. Raises BadParts when a layer cannot run
    in float64.
    """
    twin = copy.deepcopy(model).eval().double()
    wrong: list[WrongGradient] = []
    noise = torch.Generator().manual_seed(0)  # its own: what a layer draws, or seeds, must not bring back a place
    with torch.random.fork_rng():
        for parameter in twin.parameters():
            parameter.data = _moved(parameter, noise).detach()
        reached = _arguments(twin, tuple(_as_double(x) for x in inputs))
        for name in sorted(reached, key=lambda n: -n.count(".") if n else 1):  # inner ones first
            if not any(w.layer == name or w.layer.startswith(f"{name}." if name else "") for w in wrong):
                wrong += _wrong_in(name, twin.get_submodule(name), *reached[name], noise)
    return wrong


def _wrong_in(
    name: str, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], noise: torch.Generator
) -> Iterator[WrongGradient]:
    for of, place, run in _runs(layer, args, kwargs, noise):
        try:
            # At several places: a small change may cross a kink by chance, a wrong backward is wrong everywhere.
            if all(not _agrees(run, _moved(place, noise)) for _ in range(PLACES)):
                at, analytic, numeric = _worst(run, _moved(place, noise))
                yield WrongGradient(name, type(layer).__name__, of, at, analytic, numeric)
        except (RuntimeError, TypeError) as error:
            raise BadParts(
                f"Layer {name!r} cannot be checked in float64: {one_line(error)}. Let it take the type of its input."
            ) from None


def _agrees(run: Callable[[Tensor], Outputs], tensor: Tensor) -> bool:
    try:
        return gradcheck(run, (tensor,), eps=EPS, atol=ATOL, rtol=RTOL, fast_mode=True)
    except GradcheckError:
        return False


def _runs(
    layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], noise: torch.Generator
) -> Iterator[tuple[str, Tensor, Callable[[Tensor], Outputs]]]:
    """(what it is, the tensor, the layer as a function of this tensor alone) of each input and parameter."""
    args = tuple(_moved(x, noise).detach() if isinstance(x, Tensor) and x.is_floating_point() else x for x in args)
    for i, value in enumerate(args):
        if isinstance(value, Tensor) and value.is_floating_point():

            def of_input(x: Tensor, i: int = i) -> Outputs:
                return _floats(layer, {}, (*args[:i], x, *args[i + 1 :]), kwargs)

            yield f"input {i}", value, of_input
    for name, parameter in layer.named_parameters():

        def of_parameter(p: Tensor, name: str = name) -> Outputs:
            return _floats(layer, {name: p}, args, kwargs)

        yield name, parameter, of_parameter


def _moved(tensor: Tensor, noise: torch.Generator) -> Tensor:
    """A copy next to it that takes a gradient: pictures and fresh biases are full of zeros, where ReLU has its kink."""
    spread = float(tensor.detach().std(correction=0)) or 1.0
    drawn = torch.randn(tensor.shape, generator=noise, dtype=tensor.dtype).to(tensor.device)
    return (tensor.detach() + JITTER * spread * drawn).requires_grad_(True)


def _floats(layer: nn.Module, parameters: dict[str, Tensor], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Outputs:
    """What can be differentiated of the layer's outputs; the same random numbers in every call."""
    torch.manual_seed(0)
    made = functional_call(layer, parameters, args, kwargs)
    return tuple(t for t in tree_leaves(made) if isinstance(t, Tensor) and t.is_floating_point())


def _worst(run: Callable[[Tensor], Outputs], tensor: Tensor) -> tuple[tuple[int, ...], float, float]:
    """Where both differ most, among evenly spread numbers of the tensor: (index, analytic, numeric)."""
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(t.shape, generator=generator, dtype=t.dtype).to(t) for t in run(tensor)]

    def scalar(x: Tensor) -> Tensor:
        return torch.stack([(w * t).sum() for w, t in zip(weights, run(x))]).sum()

    total = scalar(tensor)
    grad = torch.autograd.grad(total, tensor, allow_unused=True)[0] if total.requires_grad else None
    analytic = torch.zeros_like(tensor) if grad is None else grad
    found: list[tuple[float, int, float]] = []
    with torch.no_grad():
        for i in torch.linspace(0, tensor.numel() - 1, min(tensor.numel(), LOOKED_AT)).long().tolist():
            step = torch.zeros_like(tensor)
            step.view(-1)[i] = EPS
            numeric = float(scalar(tensor + step) - scalar(tensor - step)) / (2 * EPS)
            found.append((abs(numeric - float(analytic.reshape(-1)[i])), i, numeric))
    _, i, numeric = max(found)
    index = tuple(int(n) for n in torch.unravel_index(torch.tensor(i), tensor.shape))
    return index, float(analytic.reshape(-1)[i]), numeric


def _arguments(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """{name: (args, kwargs)} of each module that is not torch's own, in its last call."""
    found: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}

    def keep(name: str) -> Callable[..., None]:
        return lambda module, args, kwargs: found.update({name: (args, kwargs)})

    own = [
        (n, m) for n, m in model.named_modules() if type(m).__module__.partition(".")[0] not in ("torch", "torchvision")
    ]
    handles = [module.register_forward_pre_hook(keep(name), with_kwargs=True) for name, module in own]
    try:
        with hooked(handles), torch.no_grad():
            model(*inputs)
    except RuntimeError as error:
        raise BadParts(
            f"The model cannot run in float64: {one_line(error)}. Let it take the type of its input."
        ) from None
    return found


def _as_double(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value
