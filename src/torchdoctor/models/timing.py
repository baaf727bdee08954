"""How long a forward pass takes, whole and by module: medians of repeats on this machine.

May not: train, change the model but for its mode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, process_time
from typing import Any

import torch
from torch import nn

from torchdoctor.models.calls import Called, called_modules

REPEATS = 20  # passes of which the median is told, after one to warm up
TURNS = 5  # of several ways to do the same, after one to warm up
PATIENCE = 2.0  # seconds that they may take; then there are fewer


def median_seconds(run: Callable[[], Any], device: torch.device, repeats: int = REPEATS) -> float:
    """The median of several runs, after one to warm up; it waits for the device each time."""
    run()
    times: list[float] = []
    while len(times) < repeats and (not times or sum(times) < PATIENCE):
        start = now(device)
        run()
        times.append(now(device) - start)
    return median(times)


def in_turns(ways: Mapping[str, Callable[[], object]], device: torch.device) -> dict[str, float]:
    """Median seconds of each way, one after another and again, so that what else goes on falls on all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(1 + TURNS):
        for name, way in ways.items():
            start = now(device)
            way()
            seconds[name].append(now(device) - start)
    return {name: median(some[1:]) for name, some in seconds.items()}


def seconds_of(model: nn.Module, inputs: tuple[Any, ...], repeats: int = REPEATS) -> tuple[dict[str, float], float]:
    """Of each module without those it calls, and of the whole model without the hooks that measure the others."""
    device = device_of(model)
    passes: list[list[Called]] = []
    model.eval()
    with torch.no_grad():
        whole = median_seconds(lambda: model(*inputs), device, repeats)
        begin = perf_counter()
        while len(passes) < repeats and (not passes or perf_counter() - begin < PATIENCE):
            passes.append(called_modules(model, inputs, clock=lambda: now(device)))
    times: dict[str, list[float]] = {}
    for called in (c for one in passes for c in one):
        times.setdefault(called.name, []).append(called.own)
    return {name: median(own) for name, own in times.items()}, whole


def device_of(model: nn.Module) -> torch.device:
    """Where the model's parameters are; the processor when it has none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


def now(device: torch.device) -> float:
    """Seconds on the clock, once the device has done what it was given. On a single processor thread those that the
    process was running, so that a busy machine measures what an idle one does."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return process_time() if device.type == "cpu" and torch.get_num_threads() == 1 else perf_counter()
