"""Whose arms these are: digests of what a run begins with, so that no cure goes on with the arms of another experiment.

Three of them, so that what differs can be told: the setup (weights, optimizer, length, versions), the data, and the
user's code. Code is digested as Python runs it: a comment or an empty line changes nothing.
May not: train, judge, print, change the parts.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import platform
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from torchdoctor.data.batch import tensors_in
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts
from torchdoctor.probes.fork import preserved, reading, seeded

BATCHES = 16  # of each loader; its length is looked at as well. More would be a pass over data that may be large
FORMAT = 2  # of what is kept of an arm; another number, and arms of before are not taken
FOREIGN = ("torch", "torchdoctor", "numpy", "builtins")  # versions stand for their code
PLAIN = (int, float, str, bytes, bool, type(None))
SAID = {
    "setup": "build(0) gave other weights, another optimizer or length, or torch was another",
    "data": "build(0) gave other data, or the same in another order",
    "code": "the loop, the score, the loss or the network's code was another",
}


def identity(parts: Parts, experiment: Experiment) -> dict[str, str]:
    """{"setup": 16 characters, "data": ..., "code": ...}. data: "" where reading twice does not give the same.

    What lies deeper in the data than BATCHES, and what code calls in other modules, is not looked at.
    """
    data = [_data(parts) for _ in range(2)]
    data_digest = data[0] if data[0] == data[1] else ""
    return {"setup": _setup(parts, experiment), "data": data_digest, "code": _code(parts, experiment)}


def difference(kept: Mapping[str, str], mine: Mapping[str, str]) -> str:
    """What differs, as the start of a sentence; "" where nothing does. Data that come out anew each time are no
    difference."""
    for name, said in SAID.items():
        pair = kept.get(name), mine[name]
        if pair[0] != pair[1] and not (name == "data" and "" in pair):
            return said
    return ""


def _setup(parts: Parts, experiment: Experiment) -> str:
    recipe = json.dumps(experiment.recipe, sort_keys=True, default=str)
    kind = type(parts.optimizer).__qualname__
    digest = hashlib.sha256(f"{FORMAT} {torch.__version__} {experiment.epochs} {kind} {recipe}".encode())
    for group in parts.optimizer.param_groups:
        digest.update(repr(sorted((k, repr(v)) for k, v in group.items() if k != "params")).encode())
    for name, value in parts.model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, Tensor):
            digest.update(_bytes(value))
    return digest.hexdigest()[:16]


def _data(parts: Parts) -> str:
    """Of the first batches of both loaders, drawn with the same random numbers each time."""
    digest = hashlib.sha256()
    with preserved(parts):
        seeded(0)
        for loader in (parts.train, parts.val):
            if loader is None or hasattr(loader, "__next__"):
                continue
            digest.update(repr((_length(loader), _length(getattr(loader, "dataset", None)))).encode())
            try:
                for tensor in tensors_in(list(islice(iter(reading(loader)), BATCHES))):
                    digest.update(repr((tensor.dtype, tuple(tensor.shape))).encode() + _bytes(tensor))
            except Exception as error:  # noqa: BLE001 - the user's data set fails here; the examination tells of it
                digest.update(type(error).__name__.encode())
    return digest.hexdigest()[:16]


def _length(thing: Any) -> int | None:
    try:
        return len(thing)
    except TypeError:
        return None


def _code(parts: Parts, experiment: Experiment) -> str:
    """Of the loop, the score, the loss and every class of the user's in the network."""
    digest = hashlib.sha256(platform.python_version().encode())
    seen: set[int] = set()
    for thing in (experiment.fit, experiment.score, parts.loss_fn, *parts.model.modules()):
        for piece in _pieces(thing, seen):
            digest.update(piece.encode())
    return digest.hexdigest()[:16]


def _pieces(thing: Any, seen: set[int]) -> Iterator[str]:
    """What makes a function or an object do what it does, as text without addresses."""
    if isinstance(thing, PLAIN) or (isinstance(thing, (tuple, list)) and all(isinstance(v, PLAIN) for v in thing)):
        yield repr(thing)
        return
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, partial):
        for part in (thing.func, *thing.args, *thing.keywords, *thing.keywords.values()):
            yield from _pieces(part, seen)
    elif inspect.ismethod(thing):
        yield from _pieces(thing.__func__, seen)
    elif inspect.isfunction(thing):
        yield f"{thing.__module__}.{thing.__qualname__}"
        if not _is_foreign(thing):
            yield from _of_function(thing, seen)
    else:
        kind = thing if inspect.isclass(thing) else type(thing)
        yield f"{kind.__module__}.{kind.__qualname__}"
        if not _is_foreign(kind):
            for member in (m for c in kind.__mro__ if not _is_foreign(c) for m in vars(c).values()):
                if inspect.isfunction(member):
                    yield from _pieces(member, seen)


def _of_function(function: Any, seen: set[int]) -> Iterator[str]:
    yield from _of_code(function.__code__)
    for default in (function.__defaults__ or (), *(function.__kwdefaults__ or {}).values()):
        yield from _pieces(default, seen)
    for cell in function.__closure__ or ():
        try:
            yield from _pieces(cell.cell_contents, seen)
        except ValueError:  # a name that nothing is bound to yet
            continue
    for name in function.__code__.co_names:  # functions and constants of its own module
        value = function.__globals__.get(name)
        if isinstance(value, PLAIN) or getattr(value, "__module__", None) == function.__module__:
            yield from _pieces(value, seen)


def _of_code(code: CodeType) -> Iterator[str]:
    yield repr((code.co_code, code.co_names, code.co_varnames))
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _of_code(value)
        elif isinstance(value, frozenset):
            yield repr(sorted(map(repr, value)))  # whose order hangs on the process
        elif value is not code.co_consts[0] or not isinstance(value, str):  # the first string is the docstring
            yield repr(value)


def _is_foreign(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").partition(".")[0] in FOREIGN


def _bytes(tensor: Tensor) -> bytes:
    plain = tensor.detach().cpu().contiguous().reshape(-1)
    return plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b""
