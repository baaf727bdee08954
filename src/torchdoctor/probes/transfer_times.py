"""On a GPU: how long does a batch take to get there as the loader gives it, and how long from pinned memory?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from torchdoctor.models.timing import in_turns
from torchdoctor.probes.batch import batches_of, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.fork import preserved
from torchdoctor.probes.probe import Fact, Measurement, probe


@probe(
    passes=8,
    measures={
        "transfer_time": 's: of a batch to the device, subjects "as it comes" and "pinned"; the median of a few',
        "step_time": "s: of a forward and backward pass of that batch on the device",
    },
)
def transfer_times(bench: Bench) -> Iterator[Measurement | Fact]:
    """The first batch as the loader gives it, copied to the device again and again, beside a pass of the model. Nothing
    on a CPU, where there is no way to go."""
    if bench.device.type == "cuda":
        yield from timed(bench, lambda t: t.pin_memory())


def timed(bench: Bench, pin: Callable[[Tensor], Tensor]) -> Iterator[Measurement | Fact]:
    """On whatever device the model is. pin: a copy in memory that the device can read by itself."""
    with preserved(bench.original):
        batch = next(batches_of(bench.train, "train"))
    given = [t.detach() for t in tensors_in((batch.inputs, batch.target)) if not t.is_sparse]
    on_host = all(t.device.type == "cpu" for t in given)
    yield Fact("batches", {"on": given[0].device.type, "pinned": on_host and all(t.is_pinned() for t in given)})
    if not on_host:
        return
    pinned = [pin(t) for t in given]
    passing = partial(bench.step, bench.fork(), bench.batches[0])
    ways: dict[str, Callable[[], object]] = {
        "as it comes": partial(_sent, given, bench.device),
        "pinned": partial(_sent, pinned, bench.device),
        "": passing,
    }
    for name, seconds in in_turns(ways, bench.device).items():
        yield Measurement("transfer_time" if name else "step_time", seconds, name)


def _sent(tensors: list[Tensor], device: torch.device) -> list[Tensor]:
    return [t.to(device, non_blocking=True, copy=True) for t in tensors]
