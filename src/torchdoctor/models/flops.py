"""The arithmetic of a forward pass, by module, as torch.utils.flop_counter counts it.

A multiplication and an addition are two. Convolutions and matrix products (attention too) count; activations, pooling
and normalisation do not, as in most papers (which often count the pair as one).
May not: train, change the model but for its mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def flops_of(model: nn.Module, inputs: tuple[Any, ...]) -> dict[str, int]:
    """{module name: FLOPs of one pass in eval mode, less those of the modules it calls}; the model itself is ""."""
    model.eval()
    with torch.no_grad(), _countable(), FlopCounterMode(display=False) as counter:
        model(*inputs)
    root = type(model).__name__  # with which the counter's names begin
    whole = {n.removeprefix(root).removeprefix("."): sum(by.values()) for n, by in counter.get_flop_counts().items()}
    whole[""] = whole.pop("Global", 0)
    return {name: count - _below(name, whole) for name, count in whole.items()}


def _below(name: str, whole: Mapping[str, int]) -> int:
    """What the nearest counted modules below have already."""
    prefix = f"{name}." if name else ""
    inner = [n for n in whole if n and n != name and n.startswith(prefix)]
    return sum(whole[n] for n in inner if not any(n.startswith(f"{m}.") for m in inner))


@contextmanager
def _countable() -> Iterator[None]:
    """Without the fused attention and recurrent kernels, into which the counter cannot see."""
    fast, fused = torch.backends.mha.get_fastpath_enabled(), bool(torch.backends.mkldnn.enabled)
    torch.backends.mha.set_fastpath_enabled(False)
    setattr(torch.backends.mkldnn, "enabled", False)  # noqa: B010 - a property of the module, which mypy cannot see
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        setattr(torch.backends.mkldnn, "enabled", fused)  # noqa: B010
