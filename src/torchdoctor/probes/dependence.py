"""Do the outputs depend on the inputs, and the loss on the labels?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from torchdoctor.probes.batch import Batch, first_tensor, mapped, scalar
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Measurement, probe


@probe(
    passes=3,
    measures={
        "input_dependence": '1: change of the outputs when samples exchange their inputs, over the outputs; "" for all '
        'inputs together, "0", "1" ... for one of several alone',
        "label_dependence": "1: change of the loss when samples exchange their labels, over the loss; the largest of a "
        "few exchanges",
        "target_as_output_loss": "loss: when the targets are the outputs, where their shapes agree",
    },
)
def dependence(bench: Bench) -> Iterator[Measurement]:
    """Exchange inputs, then labels, between the samples of a batch. In eval mode, so that chance changes nothing."""
    parts, batch = bench.fork(), bench.batches[0]
    parts.model.eval()
    with torch.no_grad():
        raw = parts.model(*batch.inputs)
        output = first_tensor(raw)
        yield Measurement("input_dependence", _change(bench.output(parts.model, _exchanged(batch)), output))
        if len(batch.inputs) > 1:
            for i in range(len(batch.inputs)):
                alone = bench.output(parts.model, _exchanged(batch, only=i))
                yield Measurement("input_dependence", _change(alone, output), str(i))
        loss = float(scalar(parts.loss_fn(raw, batch.target)))
        losses = [float(parts.loss_fn(raw, _rolled(batch.target, by, batch.size))) for by in _shifts(batch.size)]
        if losses and loss:
            yield Measurement("label_dependence", max(abs(other - loss) for other in losses) / abs(loss))
        target = batch.target
        plain = isinstance(raw, Tensor) and isinstance(target, Tensor) and target.is_floating_point()
        if plain and target.numel() == output.numel():
            yield Measurement("target_as_output_loss", float(parts.loss_fn(target.reshape(output.shape), target)))


def _exchanged(batch: Batch, only: int | None = None) -> Batch:
    """Each sample gets the inputs of the one before; of one input alone, or of all."""
    inputs = tuple(_rolled(x, 1, batch.size) if only in (None, i) else x for i, x in enumerate(batch.inputs))
    return Batch(inputs, batch.target)


def _rolled(value: Any, by: int, size: int) -> Any:
    return mapped(value, lambda x: x.roll(by, 0) if x.ndim and len(x) == size else x)


def _shifts(size: int) -> list[int]:
    """Labels that come sorted hardly change places by one."""
    return sorted({by for by in (1, size // 3, size // 2) if 0 < by < size})


def _change(a: Tensor, b: Tensor) -> float:
    size = float(b.double().square().mean().sqrt())
    return float((a - b).double().square().mean().sqrt()) / size if size else 0.0
