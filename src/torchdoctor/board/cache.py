"""What pages are made of, kept as long as the files it was read from have not changed.

A value that took long to make is handed out a little out of date while the new one is made behind it, and never made
again before ten times that long has passed: looking at a live run must not slow it. What was never made may be waited
for a moment only, so that a page can say that it is on its way.
May not: read files.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock
from typing import Any

SLOW = 0.02  # seconds, after which the old value is handed out
REST = 10.0  # times what it took
PATIENCE = 0.12  # seconds that a page waits for what was never made


@dataclass(frozen=True)
class _Kept:
    stamp: object
    value: Any
    weight: int
    took: float
    made: float


class Cache:
    """Plain JSON values by name, weighed by their JSON text; of more than `limit` bytes the longest unused go.

    slow: seconds, after which the old value is handed out. patience: seconds that a page waits for what was never made;
    None is as long as it takes.
    """

    def __init__(
        self,
        limit: int = 128_000_000,
        *,
        slow: float = SLOW,
        patience: float | None = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit, self.slow, self.patience = limit, slow, patience
        self._clock = clock
        self.weight = 0
        self.renewed = 0  # how often something was made anew behind a page, for those who wait for it
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._making: dict[tuple[str, ...], Lock] = {}
        self._behind: set[tuple[str, ...]] = set()
        self._lock = Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="board")
        self._opening: dict[tuple[tuple[str, ...], object], Future[Any]] = {}
        self._openers = ThreadPoolExecutor(2, thread_name_prefix="board-opening")

    def get(self, name: tuple[str, ...], stamp: object, make: Callable[[], Any]) -> Any:
        """The value of that name for this stamp; an older one while a slow new one is being made."""
        kept = self._touched(name)
        if kept is not None and kept.stamp == stamp:
            return kept.value
        if kept is not None and kept.took > self.slow:
            self._renew(name, stamp, make, kept)
            return kept.value
        with self._lock:
            turn = self._making.setdefault(name, Lock())
        with turn:  # two pages that want the same wait for one to make it
            kept = self._touched(name)
            return kept.value if kept is not None and kept.stamp == stamp else self._make(name, stamp, make)

    def soon(self, name: tuple[str, ...], stamp: object, make: Callable[[], Any]) -> Any:
        """As get, but None where it takes longer than `patience`; it is then made all the same, once, for the next one
        who asks. Raises what make() raises."""
        key = (name, stamp)
        with self._lock:
            future = self._opening.get(key)
            if begun := future is None:
                future = self._opening[key] = self._openers.submit(self.get, name, stamp, make)
        if begun:  # outside of the lock: where it has ended already, this forgets it at once
            future.add_done_callback(lambda _: self._opened(key))
        done, _ = wait([future], self.patience)
        return future.result() if done else None

    def peek(self, name: tuple[str, ...], stamp: object) -> Any:
        """The value, where it has been made for this stamp; else None."""
        with self._lock:
            kept = self._kept.get(name)
        return kept.value if kept is not None and kept.stamp == stamp else None

    def close(self) -> None:
        for pool in (self._worker, self._openers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _opened(self, key: tuple[tuple[str, ...], object]) -> None:
        with self._lock:
            self._opening.pop(key, None)

    def _touched(self, name: tuple[str, ...]) -> _Kept | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _renew(self, name: tuple[str, ...], stamp: object, make: Callable[[], Any], kept: _Kept) -> None:
        with self._lock:
            if name in self._behind or self._clock() < kept.made + REST * kept.took:
                return
            self._behind.add(name)
        self._worker.submit(self._made_behind, name, stamp, make)

    def _made_behind(self, name: tuple[str, ...], stamp: object, make: Callable[[], Any]) -> None:
        try:
            self._make(name, stamp, make)
        finally:  # what cannot be read any more is forgotten, and the next page says why
            with self._lock:
                self._behind.discard(name)
                self.renewed += 1

    def _make(self, name: tuple[str, ...], stamp: object, make: Callable[[], Any]) -> Any:
        began = self._clock()
        try:
            value = make()
        except Exception:
            self._put(name, None)
            raise
        now = self._clock()
        self._put(name, _Kept(stamp, value, len(json.dumps(value)), now - began, now))
        return value

    def _put(self, name: tuple[str, ...], kept: _Kept | None) -> None:
        with self._lock:
            self._making.pop(name, None)
            old = self._kept.pop(name, None)
            self.weight -= old.weight if old else 0
            if kept is None:
                return
            self._kept[name] = kept
            self.weight += kept.weight
            while self.weight > self.limit and len(self._kept) > 1:
                self.weight -= self._kept.popitem(last=False)[1].weight
