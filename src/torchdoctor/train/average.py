"""An average of the weights on their way: exponential (EMA) or equal (SWA), by torch.optim.swa_utils.

What is validated, kept as the best and given back at the end is the average; what the optimizer changes is not.
May not: train, score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, update_bn

from torchdoctor.data.batch import Batch

Tensors = tuple[Tensor, ...] | list[Tensor]


class Average:
    """Of one of two kinds, with the decay of an EMA or the epoch after which SWA begins.

    ema: weight of the past per step. At the start it is less, min(ema, (1 + n) / (10 + n)) at step n, or a short run
    would end with an average of its first steps (as TensorFlow's ExponentialMovingAverage does it).
    swa_from: epochs after which weights are averaged, equally, once an epoch; the statistics of batch normalisation are
    then of no weights in particular and are measured anew (Izmailov et al., arXiv:1803.05407).
    """

    def __init__(self, model: nn.Module, ema: float | None = None, swa_from: int | None = None) -> None:
        self._source, self._swa_from, self._ema = model, swa_from, ema
        averaging: dict[str, Any] = {} if ema is None else {"multi_avg_fn": self._decay, "use_buffers": True}
        self._average = AveragedModel(model, **averaging)

    @property
    def model(self) -> nn.Module:
        """What to score and to keep: the average, before there is one the model itself."""
        return self._average.module if int(self._average.n_averaged) else self._source

    def after_step(self) -> None:
        if self._ema is not None:
            self._average.update_parameters(self._source)

    def after_epoch(self, epoch: int, batches: Iterable[Batch]) -> None:
        """epoch: how many are done. batches: of training, read only where there is batch normalisation."""
        if self._swa_from is not None and epoch > self._swa_from:
            self._average.update_parameters(self._source)
            update_bn(([batch.inputs] for batch in batches), _Spread(self._average.module))

    def put_in(self) -> None:
        """The model gets the averaged weights."""
        if self.model is not self._source:
            self._source.load_state_dict(self.model.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """How much is in it, and the weights that the optimizer changes; the average itself is what is kept as the
        weights of a checkpoint."""
        return {"averaged": int(self._average.n_averaged), "weights": dict(self._source.state_dict())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The model holds the weights of the checkpoint: they become the average, and the optimizer's come back."""
        self._average.module.load_state_dict(self._source.state_dict())
        self._average.n_averaged.fill_(state["averaged"])
        self._source.load_state_dict(state["weights"])

    @torch.no_grad()
    def _decay(self, average: Tensors, current: Tensors, _on_device: Tensor | int) -> None:
        """One step of the EMA, for all tensors of one type."""
        done = int(self._average.n_averaged)  # the one on the host: a GPU's would have to be waited for
        if average[0].is_floating_point():
            torch._foreach_lerp_(average, current, 1 - min(self._ema or 0.0, (1 + done) / (10 + done)))
        else:  # counters, as batch normalisation has one
            torch._foreach_copy_(average, current)


class _Spread(nn.Module):
    """update_bn calls a model with one thing; here it is the tuple of all inputs."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: tuple[Any, ...]) -> Any:
        return self.model(*inputs)
