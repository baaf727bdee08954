"""What a recipe says of training itself.

May not: import torch.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from torchdoctor.recipe.section import Section

Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")]


class Train(Section):
    """How long, how and where training runs."""

    epochs: PositiveInt = 10
    """Passes over the training samples."""
    clip_norm: PositiveFloat | None = None
    """Longest gradient (L2, over all weights) that reaches the optimizer; null clips nothing."""
    accumulate: PositiveInt = 1
    """Batches whose gradients make one optimizer step."""
    device: Device = "auto"
    """auto (a GPU where there is one), cpu, cuda or cuda:1."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Number format of the forward pass; bf16 and fp16 by autocast, fp16 with scaled gradients."""
    patience: PositiveInt | None = None
    """Stop after this many epochs without a better validation score, and go back to the best; null never stops."""
    threads: PositiveInt | None = None
    """Processor threads of torch while training; null leaves them as they are."""
