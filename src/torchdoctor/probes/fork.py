"""Independent copies of a model with all that trains it, and the promise that the originals stay as they were.

May not: judge, print, run the model.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from types import CellType, FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from torchdoctor.errors import BadParts
from torchdoctor.parts import Loader, Parts

Undo = Callable[[], object]
DEPTH = 5  # loader -> batch sampler -> sampler -> generator, or loader -> dataset -> transforms -> one transform -> rng
SHORT = 64  # a longer list holds data, not the steps of a pipeline


def forked(parts: Parts) -> Parts:
    """The same parts, sharing nothing that training changes. The loaders stay the user's own.

    One memo for all of them, so that the copied optimizer, scheduler and loss hold the copied parameters. Gradients and
    the optimizer's own hooks are not copied. Raises BadParts when something refuses to be copied.
    """
    model = uncompiled(parts.model)
    memo: dict[int, Any] = {id(t): t.detach().clone() for t in _kept_results(model)}
    try:
        twin = copy.deepcopy(model, memo)
        memo[id(parts.model)] = twin
        loss_fn = parts.loss_fn
        loss_fn = _rebound(loss_fn, memo) if isinstance(loss_fn, FunctionType) else copy.deepcopy(loss_fn, memo)
        optimizer, scheduler = copy.deepcopy((parts.optimizer, parts.scheduler), memo)
        _complete(optimizer, parts.optimizer, memo)
    except Exception as error:  # any attribute of the user's model may refuse, each in its own way
        raise BadParts(
            f"The model, loss or optimizer cannot be copied ({type(error).__name__}: {error}), so no experiment can be "
            "made on it. Give the class that holds what cannot be copied a __deepcopy__ method."
        ) from error
    return replace(parts, model=twin, loss_fn=loss_fn, optimizer=optimizer, scheduler=scheduler)


def uncompiled(model: nn.Module) -> nn.Module:
    """The module under torch.compile: experiments run it a few times in many shapes, compiling would cost minutes."""
    inner = getattr(model, "_orig_mod", model)
    return inner if isinstance(inner, nn.Module) else model


def reading(loader: Loader) -> Loader:
    """The same data, read in this process: no worker is started, or taken from the loop that is using it."""
    if not isinstance(loader, DataLoader):
        return loader
    twin = copy.copy(loader)
    alone = {"num_workers": 0, "prefetch_factor": None, "persistent_workers": False, "pin_memory": False, "timeout": 0}
    vars(twin).update(alone, _iterator=None)  # the class forbids setting these the plain way
    return twin


@contextmanager
def preserved(parts: Parts) -> Iterator[None]:
    """What happens inside leaves no mark: random numbers of Python, NumPy and torch, generators and positions in the
    loaders, train/eval flags, buffers and gradients are afterwards what they were before."""
    with ExitStack() as after:
        for undo in (*_keep_random(), *_keep_loaders(parts), *_keep_modules(parts)):
            after.callback(undo)
        yield


def seeded(seed: int) -> None:
    """Start all random numbers anew, so that an examination says the same each time. Use inside `preserved`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the user's code may draw from the global generator
    torch.manual_seed(seed)


def _keep_random() -> Iterator[Undo]:
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    yield lambda: random.setstate(python)
    yield lambda: np.random.set_state(numpy)  # noqa: NPY002
    yield lambda: torch.set_rng_state(cpu)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        devices = torch.cuda.get_rng_state_all()
        yield lambda: torch.cuda.set_rng_state_all(devices)


def _keep_loaders(parts: Parts) -> Iterator[Undo]:
    """Generators by their state; other things by what their attributes are bound to: positions, counters, epochs."""
    for thing in _reachable([parts.train, parts.val], DEPTH):
        if undo := _keep_generator(thing) or _keep_attributes(thing):
            yield undo


def _keep_generator(thing: Any) -> Undo | None:
    if isinstance(thing, torch.Generator):
        state = thing.get_state()
        return lambda: thing.set_state(state)
    if isinstance(thing, np.random.Generator):
        bits, before = thing.bit_generator, copy.deepcopy(thing.bit_generator.state)
        return lambda: setattr(bits, "state", before)
    if isinstance(thing, np.random.RandomState):
        legacy = thing.get_state()
        return lambda: thing.set_state(legacy)
    if isinstance(thing, random.Random):
        python = thing.getstate()
        return lambda: thing.setstate(python)
    return None


def _keep_attributes(thing: Any) -> Undo | None:
    """Not of the standard library's things: locks, queues and threads go on living their own life."""
    space = getattr(thing, "__dict__", None)
    if not isinstance(space, dict) or type(thing).__module__.partition(".")[0] in sys.stdlib_module_names:
        return None
    before = dict(space)

    def undo() -> None:
        if list(space) != list(before) or any(space[name] is not value for name, value in before.items()):
            space.clear()
            space.update(before)

    return undo


def _keep_modules(parts: Parts) -> Iterator[Undo]:
    """Forks share no tensor with the originals, but a loss may reach the original model through a name of its own."""
    for root in (parts.model, parts.loss_fn):
        if isinstance(root, nn.Module):
            yield from (_keep_flag(module) for module in root.modules())
            yield from (_keep_buffer(buffer) for buffer in root.buffers())
            yield from (_keep_grad(parameter) for parameter in root.parameters())


def _keep_flag(module: nn.Module) -> Undo:
    flag = module.training
    return lambda: setattr(module, "training", flag)


def _keep_buffer(buffer: Tensor) -> Undo:
    before = buffer.detach().clone()

    def undo() -> None:
        if not torch.equal(buffer, before):  # writing equal values would still spoil a graph that is under way
            with torch.no_grad():
                buffer.copy_(before)

    return undo


def _keep_grad(parameter: Tensor) -> Undo:
    grad, parameter.grad = parameter.grad, None  # taken away, not copied: what is not there cannot be added to
    return lambda: setattr(parameter, "grad", grad)


def _reachable(roots: list[Any], depth: int) -> Iterator[Any]:
    """Everything the roots hold as attributes or in short lists, once each, without calling any of the user's code."""
    seen: set[int] = set()
    level = [r for r in roots if r is not None]
    for _ in range(depth + 1):
        level = [v for v in level if id(v) not in seen and not isinstance(v, (Tensor, nn.Module, np.ndarray, type))]
        seen.update(map(id, level))
        yield from level
        level = [inner for value in level for inner in _held(value)]


def _held(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value) if len(value) <= SHORT else []
    if isinstance(value, dict):
        return list(value.values()) if len(value) <= SHORT else []
    return list(getattr(value, "__dict__", {}).values())


def _kept_results(model: nn.Module) -> Iterator[Tensor]:
    """Results of an earlier pass that modules keep as attributes: deepcopy refuses them, and a copy needs the values
    alone (the hidden state of a stateful LSTM, the weight an old-style weight_norm computed)."""
    for module in model.modules():
        for value in vars(module).values():
            held = (
                value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else (value,)
            )
            yield from (t for t in held if isinstance(t, Tensor) and t.grad_fn is not None)


def _complete(twin: Optimizer, optimizer: Optimizer, memo: dict[int, Any]) -> None:
    """Optimizers are copied by their groups and state alone; some keep more in attributes (LBFGS its parameters).
    Functions stay behind; the one that a scheduler puts around `step`, to see whether it was called, is made anew."""
    for name, value in vars(optimizer).items():
        if name not in vars(twin) and not callable(value):
            setattr(twin, name, copy.deepcopy(value, memo))
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        setattr(twin, "step", _watched_by_scheduler(twin))  # noqa: B010 - mypy holds that a method cannot be replaced


def _watched_by_scheduler(optimizer: Optimizer) -> Callable[..., Any]:
    step = type(optimizer).step

    @wraps(step)
    def watched(*args: Any, **kwargs: Any) -> Any:
        vars(optimizer)["_opt_called"] = True
        return step(optimizer, *args, **kwargs)

    vars(watched)["_wrapped_by_lr_sched"] = True
    return watched


def _rebound(fn: FunctionType, memo: dict[int, Any]) -> Callable[..., Any]:
    """A loss function that reaches the model by a name of its own (a penalty on its weights) must reach the copy."""
    cells = tuple(_rebound_cell(cell, memo) for cell in fn.__closure__ or ())
    names = {n: fn.__globals__[n] for n in fn.__code__.co_names if _copied(fn.__globals__.get(n), memo)}
    if not names and all(new is old for new, old in zip(cells, fn.__closure__ or ())):
        return fn
    space = {**fn.__globals__, **copy.deepcopy(names, memo)}
    twin = FunctionType(fn.__code__, space, fn.__name__, fn.__defaults__, cells)
    twin.__kwdefaults__ = fn.__kwdefaults__
    return twin


def _rebound_cell(cell: CellType, memo: dict[int, Any]) -> CellType:
    try:
        held = cell.cell_contents
    except ValueError:  # a name that is not bound yet
        return cell
    return CellType(copy.deepcopy(held, memo)) if _copied(held, memo) else cell


def _copied(value: Any, memo: dict[int, Any]) -> bool:
    """True when the value, or an item of a list of them, has been copied already."""
    return any(id(v) in memo for v in (value, *(value if isinstance(value, (list, tuple)) else ())))
