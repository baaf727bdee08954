"""On a GPU: how long does a pass take as it is, with TF32, with bfloat16 and with channels last?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import nn

from torchdoctor.models.timing import in_turns
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Batch, Bench, training
from torchdoctor.probes.probe import Measurement, probe

AS_IS = "as it is"
Setting = Callable[[], AbstractContextManager[object]]


@probe(
    passes=24,
    measures={
        "precision_time": 's: of a forward and backward pass, subjects "as it is", "tf32", "bf16", "channels last"; '
        "the median of a few in turns",
        "precision_change": "1: by how much the loss of the same batch differs from that as it is, over its size",
        "reduced_precision": "0/1: the model computes in 16 bits already",
    },
)
def precision_times(bench: Bench) -> Iterator[Measurement]:
    """The same batch in turns, each time with one thing changed, on forks of their own. Nothing on a CPU, where half
    precision is seldom faster."""
    if bench.device.type == "cuda":
        yield from timed(bench)


def timed(bench: Bench) -> Iterator[Measurement]:
    """On whatever device the model is."""
    half = any(p.is_floating_point() and p.element_size() < 4 for p in bench.parts.model.parameters())
    half = half or torch.is_autocast_enabled(bench.device.type)
    yield Measurement("reduced_precision", float(half))
    if half:
        return
    arms: dict[str, tuple[Setting, bool]] = {
        AS_IS: (nullcontext, False),
        "tf32": (_tf32, False),
        "bf16": (partial(_bf16, bench.device.type), False),
    }
    if any(isinstance(m, nn.Conv2d) for m in bench.parts.model.modules()):
        arms["channels last"] = (nullcontext, True)
    batch, losses, passes = bench.batches[0], dict[str, float](), dict[str, Callable[[], object]]()
    for name, (setting, last) in arms.items():
        parts = training(bench.fork())
        given = batch
        if last:
            parts.model.to(memory_format=torch.channels_last)
            given = batch._replace(inputs=tuple(_channels_last(x) for x in batch.inputs))
        passes[name] = partial(_pass, bench, parts, given, setting, name, losses)
    for name, seconds in in_turns(passes, bench.device).items():
        yield Measurement("precision_time", seconds, name)
    for name, loss in losses.items():
        if name != AS_IS and losses[AS_IS]:
            yield Measurement("precision_change", abs(loss - losses[AS_IS]) / abs(losses[AS_IS]), name)


def _pass(bench: Bench, parts: Parts, batch: Batch, setting: Setting, name: str, losses: dict[str, float]) -> None:
    parts.model.zero_grad(set_to_none=True)
    with setting():
        loss = bench.loss(parts, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    losses.setdefault(name, float(loss.detach()))  # of the first one, before running statistics could differ


def _channels_last(x: object) -> object:
    return x.to(memory_format=torch.channels_last) if isinstance(x, torch.Tensor) and x.ndim == 4 else x


def _bf16(device: str) -> AbstractContextManager[object]:
    return torch.autocast(device, torch.bfloat16)


@contextmanager
def _tf32() -> Iterator[None]:
    matmul, conv = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, conv
