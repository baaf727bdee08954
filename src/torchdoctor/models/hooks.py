"""Hooks that listen for as long as a block runs, and are gone after it, whatever goes wrong inside.

May not: register any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch.utils.hooks import RemovableHandle


@contextmanager
def hooked(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """handles: what register_forward_hook and its like returned."""
    kept = tuple(handles)
    try:
        yield
    finally:
        for handle in kept:
            handle.remove()
