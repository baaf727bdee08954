"""Ways to train, side by side in one process: they take turns of BLOCK steps, and never run at once.

A machine that is slow for a second is then slow for all of them. What counts is the ratio of total times; its interval
comes from a bootstrap over the turns, each with its neighbour, and an arm that is there twice shows what chance does.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

BLOCK = 20  # steps of one turn: long enough to warm the caches, short against what disturbs a machine
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

Work = Callable[["Arm"], None]


class Arm(threading.Thread):
    """One way to train, in a thread of its own that works only when it has the turn. seconds: of each turn.

    work: called with this arm; it trains and calls `begin()` once, `stepped(i)` after each of `steps` steps, `end()`.
    """

    def __init__(self, work: Work, steps: int, folder: Path, threads: int, clock: str) -> None:
        super().__init__(daemon=True)
        self.work, self.steps, self.folder, self.threads = work, steps, folder, threads
        self.clock = CLOCKS[clock]
        self.seconds: list[float] = []
        self.failed: BaseException | None = None
        self.turn, self.given_back = threading.Semaphore(0), threading.Semaphore(0)

    def run(self) -> None:
        self.turn.acquire()
        torch.set_num_threads(self.threads)  # it holds for the thread that calls it
        torch.manual_seed(0)
        try:
            self.work(self)
        except BaseException as error:  # noqa: BLE001 - said by the thread that waits
            self.failed = error
        self.given_back.release()

    def begin(self) -> None:
        """The clock runs from here."""
        self._since = self.clock()

    def stepped(self, step: int) -> None:
        """Step number `step`, from 0, has ended."""
        if (step + 1) % BLOCK == 0 and step + 1 < self.steps:
            self.seconds.append(self.clock() - self._since)
            self.given_back.release()
            self.turn.acquire()
            self._since = self.clock()

    def end(self) -> None:
        """What a watcher does at its end belongs to the last turn."""
        self.seconds.append(self.clock() - self._since)


def take_turns(arms: Sequence[Arm]) -> None:
    """Run them all to their end, each turn in another order. What one of them raises is raised here."""
    for arm in arms:
        arm.start()
    turn = 0
    while any(arm.is_alive() for arm in arms):
        first = turn % len(arms)
        for arm in [*arms[first:], *arms[:first]]:
            if arm.is_alive():
                arm.turn.release()
                arm.given_back.acquire()
                if arm.failed is not None:
                    raise arm.failed
                if len(arm.seconds) == turn + 1 == -(-arm.steps // BLOCK):
                    arm.join()
        turn += 1


def alone(work: Work, steps: int, folder: Path, clock: str) -> float:
    """Seconds of an arm that never has to wait."""
    arm = Arm(work, steps, folder, torch.get_num_threads(), clock)
    take_turns([arm])
    return sum(arm.seconds)


def steps_in(work: Work, seconds: float, clock: str) -> int:
    """How many steps fill about that many seconds: whole turns, and ten of them at least."""
    trial = min(alone(work, BLOCK, Path(), clock) for _ in range(3))
    return BLOCK * max(10, round(seconds / trial))


def compared(arm: Arm, bare: Arm, most: float | None = None) -> str:
    """The ratio of the two with its interval, and what it may be at most."""
    low, high = interval(arm.seconds, bare.seconds)
    bound = f"   (at most {most})" if most else ""
    return f"{sum(arm.seconds) / sum(bare.seconds):.3f} [{low:.3f} .. {high:.3f}]{bound}"


def interval(seconds: Sequence[float], bare: Sequence[float], draws: int = 2000) -> tuple[float, float]:
    """Of the ratio of the sums, 95 %: turns are drawn with replacement, each with its bare neighbour."""
    turns, dice = list(zip(seconds, bare)), random.Random(0)
    ratios = []
    for _ in range(draws):
        drawn = dice.choices(turns, k=len(turns))
        ratios.append(sum(s for s, _ in drawn) / sum(b for _, b in drawn))
    ratios.sort()
    return ratios[draws // 40], ratios[-draws // 40]


def same_memory_for_all() -> None:
    """Start again with one heap for all threads that is never given back: with glibc's defaults one thread's heap
    returned its pages to the system in every step and its arm was a quarter slower, whichever arm it was."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        memory = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**30)}
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **memory})
