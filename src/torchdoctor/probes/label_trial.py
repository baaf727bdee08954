"""Which labels does the loss refuse, and what would make it take them?"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.errors import one_line
from torchdoctor.probes.batch import first_tensor, mapped, moved, scalar
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe

TRIED = 1_000  # distinct labels tried at most
NAMED = 20  # labels and samples named at most
SCORES, PROBABILITIES = (30.0, -30.0), (1e-6, 1 - 1e-6)  # that say yes and no
FARTHER = 10.0  # times: where a loss that falls without bound has fallen on
FEW = 20  # distinct whole numbers that may be classes
BOTTOM = -1.0  # a classification loss is not negative; one below this falls with every further step

CPU = torch.device("cpu")
Change = Callable[[Tensor], Tensor]
# What a person would write, the least change first.
CHANGES: dict[str, Change] = {
    "target.long()": lambda t: t.long(),
    "target.float()": lambda t: t.float(),
    "target.squeeze(1)": lambda t: t.squeeze(1),
    "target.unsqueeze(1)": lambda t: t.unsqueeze(1),
    "target.squeeze(1).long()": lambda t: t.squeeze(1).long(),
    "target.unsqueeze(1).float()": lambda t: t.unsqueeze(1).float(),
    "target.argmax(1)": lambda t: t.argmax(1),
}


@probe(
    passes=1,
    measures={
        "loss_refuses": "0/1: the loss refuses the targets of the first batch",
        "refused_label_share": "0..1: samples (or pixels) whose label the loss refuses, or falls without bound for",
    },
)
def label_trial(bench: Bench) -> Iterator[Measurement | Fact]:
    """Ask the loss for every label that occurs, with the first sample's output.

    On the CPU, where a label out of range is an error like any other; on a GPU it ends the process's use of the device.
    """
    batch = bench.batches[0]
    with torch.no_grad():
        raw = moved(bench.parts.model(*batch.inputs), CPU)
    loss_fn = copy.deepcopy(bench.parts.loss_fn)
    loss_fn = loss_fn.to(CPU) if isinstance(loss_fn, nn.Module) else loss_fn
    target = moved(batch.target, CPU)
    if not isinstance(target, Tensor) or not target.ndim:
        return
    refusal = _refusal(loss_fn, raw, target)
    if refusal and bench.device != CPU and "device" in refusal:
        return  # a function with weights on the device: it cannot be asked here
    clamped = target.clamp(0, first_tensor(raw).shape[1] - 1) if first_tensor(raw).ndim > 1 else target
    yield Measurement("loss_refuses", float(bool(refusal)))
    if refusal and _refusal(loss_fn, raw, clamped):
        yield Fact("loss_refusal", {"message": refusal, "works_with": _what_works(loss_fn, raw, target)})
        return
    if bench.kind in ("classes", "binary") or (bench.kind == "continuous" and _counts(bench)):
        yield from _values(bench, loss_fn, raw, target)


def _refusal(loss_fn: Any, raw: Any, target: Tensor) -> str:
    """The loss's own words, forward and backward; "" when it takes the target."""
    try:
        loss = scalar(loss_fn(mapped(raw, _leaf), target))
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - what a loss raises is what is asked for here
        return one_line(error)
    return ""


def _leaf(x: Tensor) -> Tensor:
    return x.detach().clone().requires_grad_(x.is_floating_point())


def _what_works(loss_fn: Any, raw: Any, target: Tensor) -> str:
    for code, change in CHANGES.items():
        try:
            changed = change(target)
        except (RuntimeError, IndexError):
            continue
        if _pairs(first_tensor(raw), changed) and not _refusal(loss_fn, raw, changed):
            return code
    return ""


def _pairs(output: Tensor, target: Tensor) -> bool:
    """One target for each number, or for each row of class scores: what broadcasts is no cure."""
    return target.shape in (output.shape, output.shape[:1] + output.shape[2:])


def _values(bench: Bench, loss_fn: Any, raw: Any, target: Tensor) -> Iterator[Measurement | Fact]:
    """One label at a time, for the first sample."""
    if target.is_floating_point() and target.ndim > 1 and target.shape[1] > 1:
        return  # rows of probabilities have no single label
    one, shape = mapped(raw, lambda x: x[:1] if x.ndim and len(x) == len(target) else x), target[:1]
    if _refusal(loss_fn, one, shape) and not _refusal(loss_fn, raw, target):
        one, shape = raw, target  # outputs that are not one row a sample: then all samples get the label
    labels = torch.cat([t.reshape(-1) for t in bench.surveyed.labels])
    values = labels[torch.isfinite(labels)].unique()[:TRIED].tolist()  # type: ignore[no-untyped-call]
    words = {v: _refusal(loss_fn, one, torch.full_like(shape, v)) for v in values}
    endless = [v for v in values if not words[v] and _falls(loss_fn, one, torch.full_like(shape, v))]
    if len(endless) < len(values):  # a loss that is negative for all labels is of another kind
        words.update(dict.fromkeys(endless, "the loss falls without bound for it"))
    refused = [v for v in values if words[v]]
    bad = torch.isin(labels, torch.tensor(refused, dtype=labels.dtype))
    yield Measurement("refused_label_share", float(bad.double().mean()))
    if refused:
        names = bench.surveyed.names
        samples = [names[int(i)] for i in bad.nonzero()[:NAMED]] if len(labels) == len(names) else []
        first = first_tensor(raw)
        columns = first.shape[1] if first.ndim > 1 else 1
        told = {"labels": refused[:NAMED], "message": words[refused[0]], "samples": samples, "columns": columns}
        yield Fact("refused_labels", told)


def _counts(bench: Bench) -> bool:
    """Whole numbers, and few: classes under a loss for two of them look like that, as counts do."""
    values = torch.cat([t.reshape(-1) for t in bench.surveyed.labels]).unique()  # type: ignore[no-untyped-call]
    return len(values) <= FEW and bool((values == values.round()).all())


def _falls(loss_fn: Any, one: Any, target: Tensor) -> bool:
    """Whether some score makes the loss of this label clearly negative, and one farther out still more: a likelihood of
    counts is negative too, but has a bottom. Of a loss that refuses scores, whether some probability does."""
    near = {value: _at(value, loss_fn, one, target) for value in SCORES}
    if all(math.isnan(loss) for loss in near.values()):
        return any(_at(value, loss_fn, one, target) < BOTTOM for value in PROBABILITIES)
    far = {value: _at(FARTHER * value, loss_fn, one, target) for value in SCORES}
    return any(near[value] < BOTTOM and far[value] < near[value] + BOTTOM for value in SCORES)


def _at(value: float, loss_fn: Any, one: Any, target: Tensor) -> float:
    """NaN where the loss refuses such an output."""
    try:
        return float(loss_fn(mapped(one, partial(torch.full_like, fill_value=value)), target))
    except Exception:  # noqa: BLE001 - a loss of probabilities refuses scores, and the other way round
        return math.nan
