"""Which function does in eval mode what belongs to training: draws masks, or normalises by the batch at hand?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from torchdoctor.probes.batch import Batch
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.listen import running
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import head

SAMPLES = 16
SAME = 1e-3  # of the values' size: what an affine change of the inputs leaves as it is
APART = 1e-2  # what the neighbours change


@probe(
    passes=3,
    measures={
        "eval_mask_share": "share: in eval mode, of the numbers in which two passes first differ, those that are zero "
        "in one of them; 1 for dropout, 0 for noise that is added",
        "batch_normed_in_eval": "count: functions that in eval mode normalise over the samples of the batch",
    },
)
def eval_mode(bench: Bench) -> Iterator[Measurement | Fact]:
    """Two passes in eval mode, in which every function called on tensors is seen: the first whose result differs is
    where chance comes in. Then each function that keeps its input's shape is called again: normalising over the batch
    is what does not change when all inputs are scaled and shifted, and changes when the neighbours do."""
    model, batch = bench.fork().model.eval(), head(bench.batches[0], SAMPLES)
    with torch.no_grad():
        first, second = _calls(model, batch), _calls(model, batch)
        at = next((i for i, pair in enumerate(zip(first, second)) if _differ(*pair)), None)
        if at is None:
            yield Measurement("eval_mask_share", 0.0)
        else:
            yield Measurement("eval_mask_share", _masked(first[at].result, second[at].result))
            yield Fact("eval_chance_in", first[at].owner)
        normed = [call.owner for call in first if batch.size > 1 and call.size == batch.size and _by_batch(call)]
    yield Measurement("batch_normed_in_eval", float(len(normed)))
    if normed:
        yield Fact("batch_normed_in_eval", list(dict.fromkeys(normed)))


class _Call:
    """A function's call on a float tensor: what it was given and gave, and the module in whose forward() it was."""

    def __init__(self, owner: str, given: Tensor, again: Callable[[Tensor], Any], result: Tensor) -> None:
        self.owner, self.given, self.again = owner, given, again
        self.result = result.clone()  # what works in place may change it later
        self.size = len(given) if given.ndim > 1 else 0


class _Watching(TorchFunctionMode):
    """Keeps the calls that give a float tensor; `owners` is the stack of the modules that are running."""

    def __init__(self, owners: list[str]) -> None:
        super().__init__()
        self.owners = owners
        self.calls: list[_Call] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        given = args[0].clone() if args and isinstance(args[0], Tensor) and args[0].is_floating_point() else None
        result = func(*args, **named)
        if given is not None and isinstance(result, Tensor) and result.is_floating_point():
            owner = self.owners[-1] if self.owners else ""
            self.calls.append(_Call(owner, given, lambda x: func(x, *args[1:], **named), result))
        return result


def _calls(model: nn.Module, batch: Batch) -> list[_Call]:
    with running(model) as owners:
        watching = _Watching(owners)
        with watching:
            model(*batch.inputs)
    return watching.calls


def _differ(a: _Call, b: _Call) -> bool:
    return a.result.shape == b.result.shape and not torch.equal(a.result, b.result)


def _masked(a: Tensor, b: Tensor) -> float:
    apart = a != b
    return float(((a == 0) ^ (b == 0))[apart].double().mean())


def _by_batch(call: _Call) -> bool:
    """Blind to the size and place of its input, and not to the neighbours of a sample."""
    x, y = call.given, call.result
    if x.shape != y.shape or not bool(torch.isfinite(y).all()):
        return False
    scale = float(y.abs().max())
    try:
        moved = call.again(2 * x + 1)
        alone = call.again(torch.cat([x[:1], x[:1].expand_as(x[1:]) + 0.1 * x[1:]]))
    except Exception:  # noqa: BLE001 - a function may refuse other numbers than those it was given
        return False
    if not isinstance(moved, Tensor) or moved.shape != y.shape or scale == 0:
        return False
    return float((moved - y).abs().max()) < SAME * scale and float((alone[0] - y[0]).abs().max()) > APART * scale
