"""Does a view or reshape exchange axes, which only a permutation can do?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from torchdoctor.parts import Parts
from torchdoctor.probes.batch import Batch, mapped, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.listen import running
from torchdoctor.probes.probe import Fact, Measurement, probe

CUT = 2  # by which an axis is made shorter: of even lengths, what takes neighbours together still finds pairs
IN_LOSS = "(loss)"  # no name that a module can have
RESHAPES = frozenset(
    {"view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as", "contiguous", "ravel"}
)  # what gives the same numbers in the same order; by name, since torch has each as a function and as a method


@probe(
    passes=1,
    measures={"exchanging_reshapes": "count: whose new shape is the old one with axes exchanged"},
)
def reshaped_axes(bench: Bench) -> Iterator[Measurement | Fact]:
    """One pass of the model and the loss in which every reshape is seen, several in a row as one. The numbers stay in
    their order under it, so (N, time, channels) made into (N, channels, time) has bits of all channels in each.

    Sizes may agree by chance: 64 moments of 32 channels, taken together in pairs, are 32 of 64 as well. Whatever is
    found is looked for again in batches of other sizes, as far as the model takes them: one sample less, and an axis of
    the inputs a little shorter. The fact `axes_exchanged`: [{"where": module, "from": shape, "to": shape, "samples":
    whether the samples' axis is among those exchanged, "in_loss": whether it is no module that does it}], one for each
    place.
    """
    batch, parts = bench.batches[0], bench.fork()
    parts.model.eval()
    found = _exchanges(parts, batch, lenient=True)
    for others in (_one_less(batch), _shorter(batch)) if found else ():
        tried = [again for other in others if (again := _again(parts, other)) is not None]
        found = [e for e in found if not tried or any((e.where, e.order) in again for again in tried)]
    yield Measurement("exchanging_reshapes", float(len(found)))
    if found:
        yield Fact("axes_exchanged", [e.told(batch.size) for e in {e.where: e for e in reversed(found)}.values()])


class _Exchange(NamedTuple):
    """shape: before it, without axes of 1; order: which of its axes the new ones are."""

    where: str
    shape: tuple[int, ...]
    order: tuple[int, ...]

    def told(self, samples: int) -> dict[str, Any]:
        moved = {self.shape[a] for a, b in enumerate(self.order) if a != b}
        to = [self.shape[a] for a in self.order]
        told = {"from": list(self.shape), "to": to, "samples": samples in moved, "in_loss": self.where == IN_LOSS}
        return {"where": "" if self.where == IN_LOSS else self.where, **told}


class _Watching(TorchFunctionMode):
    """Keeps the reshapes that exchange axes; `owners` is the stack of the modules that are running."""

    def __init__(self, owners: list[str]) -> None:
        super().__init__()
        self.owners = owners
        self.found: list[_Exchange] = []
        self.made: dict[int, tuple[Tensor, tuple[int, ...]]] = {}  # by id; the tensor is kept so that no other gets it

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in RESHAPES and args and isinstance(result, Tensor):
            self._note(args[0], result)
        return result

    def _note(self, given: Tensor, result: Tensor) -> None:
        if isinstance(given, nn.Parameter):
            return  # weights are learnt in whatever order they are read
        before = self.made[id(given)][1] if id(given) in self.made else _sizes(given)
        self.made[id(result)] = (result, before)
        order = _order(before, _sizes(result))
        if order is not None:
            self.found.append(_Exchange(self.owners[-1] if self.owners else "", before, order))


def _exchanges(parts: Parts, batch: Batch, *, lenient: bool = False) -> list[_Exchange]:
    """lenient: what was seen until the loss raises stands; a label out of range is another's finding."""
    with running(parts.model) as owners:
        watching = _Watching(owners)
        with torch.no_grad(), watching:
            _whole_pass(parts, batch, owners, lenient)
    return watching.found


def _whole_pass(parts: Parts, batch: Batch, owners: list[str], lenient: bool) -> None:
    output = parts.model(*batch.inputs)
    owners.append(IN_LOSS)
    with suppress(Exception) if lenient else nullcontext():
        parts.loss_fn(output, batch.target)


def _sizes(x: Tensor) -> tuple[int, ...]:
    return tuple(n for n in x.shape if n > 1)


def _order(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...] | None:
    """after[i] == before[order[i]], of the orders that there are the one that moves least; None where it moves nothing,
    or is none."""
    if before == after or sorted(before) != sorted(after):
        return None
    left = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
    order = list(range(len(before)))
    for i in (i for i, (a, b) in enumerate(zip(before, after)) if a != b):
        order[i] = next(j for j in left if before[j] == after[i])
        left.remove(order[i])
    return tuple(order)


def _again(parts: Parts, batch: Batch) -> set[tuple[str, tuple[int, ...]]] | None:
    """(module, order) of the exchanges in a batch of another size; None where the model does not take it."""
    try:
        return {(e.where, e.order) for e in _exchanges(parts, batch)}
    except Exception:  # noqa: BLE001 - it may be made for one size only, and say so in any way it likes
        return None


def _one_less(batch: Batch) -> list[Batch]:
    """Without the first sample, where all tensors agree on what a sample is."""
    tensors = list(tensors_in((batch.inputs, batch.target)))
    if batch.size <= 2 or not all(t.ndim and len(t) == batch.size for t in tensors):
        return []
    return [Batch(mapped(batch.inputs, lambda x: x[1:]), mapped(batch.target, lambda x: x[1:]))]


def _shorter(batch: Batch) -> list[Batch]:
    """All inputs cut along their second axis, along their third ... A reshape to sizes that were written down survives
    one of these, what agrees by chance none."""
    tensors = list(tensors_in(batch.inputs))
    axes = range(1, max((t.ndim for t in tensors), default=0))
    long = [a for a in axes if all(t.ndim > a and t.shape[a] > 2 * CUT for t in tensors)]
    return [Batch(mapped(batch.inputs, partial(_cut, axis=a)), batch.target) for a in long]


def _cut(x: Tensor, axis: int) -> Tensor:
    return x.narrow(axis, 0, x.shape[axis] - CUT)
