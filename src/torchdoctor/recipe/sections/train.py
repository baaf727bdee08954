"""What a recipe says of training itself.

May not: import torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from torchdoctor.recipe.choice import MonitorName
from torchdoctor.recipe.section import Section

Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]
Share = Annotated[float, Field(gt=0, lt=1)]


class Train(Section):
    """How long, how and where training runs."""

    epochs: PositiveInt = 10
    """Passes over the training samples."""
    clip_norm: PositiveFloat | None = None
    """Longest gradient (L2, over all weights) that reaches the optimizer; null clips nothing."""
    clip_value: PositiveFloat | None = None
    """Largest single value of a gradient that reaches the optimizer, clipped before the norm."""
    accumulate: PositiveInt = 1
    """Batches whose gradients make one optimizer step."""
    device: Device = "auto"
    """auto (a GPU where there is one), cpu, cuda or cuda:1."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format of the forward pass; bf16 and fp16 by autocast, fp16 with scaled gradients."""
    ema: Share | None = None
    """Decay per step of an exponential moving average of the weights, such as 0.999; the average is what is validated,
    kept and given back."""
    swa: Share | None = None
    """Share of the epochs, such as 0.75, after which the weights of each epoch's end are averaged equally."""
    monitor: MonitorName | None = None
    """What the best epoch, patience and plateau go by; null is the validation score (plateau: loss), or without
    validation the training loss."""
    patience: PositiveInt | None = None
    """Stop after this many epochs without a better one, and go back to the best; null never stops."""
    distributed: Literal["auto", "off"] = "auto"
    """auto trains together with the other processes that torchrun started, each on its share of every batch; off each
    for itself."""
    shard: bool = False
    """Each of those processes holds a part of the weights (FSDP2), for models that do not fit into one GPU; fewer
    signals are recorded, and the run cannot be resumed."""
    threads: PositiveInt | None = None
    """Processor threads of torch while training; null leaves them as they are."""

    @model_validator(mode="before")
    @classmethod
    def _one_average(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("ema") is not None and values.get("swa") is not None:
            raise ValueError("ema and swa are two ways to average weights; choose one")
        return values
