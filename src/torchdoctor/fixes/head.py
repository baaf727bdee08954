"""The last layer of a model, drawn anew at another width.

May not: train, judge, print, decide by the name of a class.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.surgery import Executed, executed, is_layer
from torchdoctor.models.layers import put
from torchdoctor.probes.bench import Batch


def with_width(model: nn.Module, batch: Batch, width: int) -> nn.Module:
    """The model with `width` outputs a sample. Changes `model`; work on a copy.

    Random numbers stay where they were, so that nothing but the layer differs. Raises BadParts where no dense layer
    gives the last dimension of the output, or where it is called more than once.
    """
    output, ran = executed(model, batch)
    last = _last_dense(output, ran)
    weight = next(last.module.parameters())
    with torch.random.fork_rng():
        new = nn.Linear(weight.shape[1], width, bias=getattr(last.module, "bias", None) is not None)
    return put(model, last.name, new.to(weight))


def _last_dense(output: Tensor, ran: list[Executed]) -> Executed:
    layers = [e for e in ran if is_layer(e.module)]
    last = layers[-1] if layers else None
    if last is None or last.calls > 1 or next(last.module.parameters()).ndim != 2:
        raise BadParts("The model does not end in a dense layer that is used once; change its last layer by hand.")
    if last.output.shape[-1] != output.shape[-1] and output.ndim > 1:
        raise BadParts(f"Layer {last.name!r} is not what makes the output; change the model's last layer by hand.")
    return last
