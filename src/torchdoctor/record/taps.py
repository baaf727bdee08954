"""The places in torch itself where a running loop can be listened to, wrapped only while a watch is open.

A watch must see what backward is called on, when it ends (before the loop clips), how a GradScaler scaled it, and how
long the loop waited for a DataLoader. Torch has no hooks for these four, so four of its own functions are wrapped for
the duration of the `with` block and put back afterwards. The user's objects are never touched. Everything else uses
torch's public hooks. The wrappers pass arguments and results through unchanged.

May not: record, judge, know what a signal is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from threading import Lock
from time import perf_counter
from typing import Any, Protocol

import torch
from torch.amp.grad_scaler import GradScaler
from torch.utils.data.dataloader import _BaseDataLoaderIter


class Listener(Protocol):
    """What an open watch is told."""

    def before_backward(self, tensors: Any) -> None: ...
    def after_backward(self, finished: bool) -> None: ...
    def scaled(self, scaler: GradScaler) -> None: ...
    def scaler_updated(self, scaler: GradScaler) -> None: ...
    def fetched(self, seconds: float) -> None: ...


_open: list[Listener] = []
_wrapped: dict[tuple[Any, str], tuple[Any, Any]] = {}  # place -> torch's own function, our wrapper
_turn = Lock()  # a watch that opens in one thread while the last of another closes would be left without wrappers


def listen(listener: Listener) -> None:
    """Tell `listener` from now on; the first one puts the wrappers in place."""
    with _turn:
        if not _open:
            _wrap(torch.autograd, "backward", _around_backward)
            _wrap(GradScaler, "scale", _around_scale)
            _wrap(GradScaler, "update", _around_update)
            _wrap(_BaseDataLoaderIter, "__next__", _around_fetch)
        _open.append(listener)


def unlisten(listener: Listener) -> None:
    """Stop telling it; when nobody listens any more, torch is as it was."""
    with _turn:
        _open.remove(listener)
        if not _open:
            for (owner, name), (original, wrapper) in list(_wrapped.items()):
                # Somebody else may have wrapped ours in the meantime: then it stays below theirs, and tells nobody.
                if getattr(owner, name) is wrapper:
                    setattr(owner, name, original)
                    del _wrapped[owner, name]


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    if (owner, name) in _wrapped:
        return
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    # A training step under torch.compile would otherwise compile the watch into its graphs.
    hidden = torch.compiler.disable(wrapper)  # type: ignore[no-untyped-call]
    _wrapped[owner, name] = original, hidden
    setattr(owner, name, hidden)


def _around_backward(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    tensors = args[0] if args else kwargs.get("tensors")
    listeners, finished = tuple(_open), False
    for listener in listeners:
        listener.before_backward(tensors)
    try:
        result = original(*args, **kwargs)
        finished = True
    finally:
        for listener in listeners:
            listener.after_backward(finished)
    return result


def _around_scale(original: Callable[..., Any], scaler: GradScaler, outputs: Any) -> Any:
    result = original(scaler, outputs)
    for listener in tuple(_open):
        listener.scaled(scaler)
    return result


def _around_update(original: Callable[..., Any], scaler: GradScaler, *args: Any, **kwargs: Any) -> Any:
    for listener in tuple(_open):
        listener.scaler_updated(scaler)
    return original(scaler, *args, **kwargs)


def _around_fetch(original: Callable[..., Any], iterator: Any) -> Any:
    start = perf_counter()
    batch = original(iterator)
    seconds = perf_counter() - start
    for listener in tuple(_open):
        listener.fetched(seconds)
    return batch
