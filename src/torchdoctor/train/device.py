"""Where training runs. The one place that decides on devices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from torchdoctor.errors import BadParts


def chosen(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is a GPU where there is one. Raises BadParts when this machine has none such."""
    gpus = torch.cuda.device_count()
    if name == "auto":
        name = "cuda" if gpus else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and device.index is None and "LOCAL_RANK" in os.environ:  # torchrun: a GPU for each
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
    if device.type == "cuda" and (device.index or 0) >= gpus:
        raise BadParts(f"device {name!r} is not there: torch {torch.__version__} sees {gpus} GPUs. Use auto or cpu.")
    return device


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter lies; the CPU when it has none."""
    return next((p.device for p in model.parameters()), torch.device("cpu"))


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Inside, torch uses that many processor threads; None leaves them as they are."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
