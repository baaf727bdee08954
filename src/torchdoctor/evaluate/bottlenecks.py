"""Which layer limits accuracy, and which limits speed.

Accuracy: a linear classifier on each layer's features. Where its score stops rising, deeper layers add nothing; where
it falls, information was lost. Speed: the measured time of each layer.

May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from torchdoctor.data.batch import first_tensor
from torchdoctor.evaluate.answer_times import answer_times
from torchdoctor.evaluate.layer_probes import LayerProbe, Samples, layer_probes
from torchdoctor.evaluate.layer_times import LayerTime, layer_times


@dataclass(frozen=True)
class Bottlenecks:
    """probes: in the order of execution; empty for numbers. full_at: the first layer whose probe no later one beats by
    more than its interval. fitted_on: training samples of each probe. batch: samples of the timed batch. answers:
    seconds of one sample and of that batch, and of one by a copy made ready for answering."""

    probes: tuple[LayerProbe, ...]
    full_at: str | None
    fitted_on: int
    times: tuple[LayerTime, ...]
    batch: int
    answers: Mapping[str, float] = field(default_factory=dict)

    @property
    def falls_at(self) -> tuple[str, ...]:
        """Where information was lost and did not come back."""
        last = self.probes[-1].score.value if self.probes else 0.0
        return tuple(p.layer for p in self.probes if p.falls and last <= p.score.high)


def bottlenecks(
    model: nn.Module, timed: tuple[Any, ...], fit: Samples | None, scored: Samples, seed: int = 0
) -> Bottlenecks:
    """timed: the inputs of one batch. fit, scored: samples for the probes; fit None: no probes (numbers)."""
    times, answers = layer_times(model, timed), answer_times(model, timed)
    size = len(first_tensor(timed))
    if fit is None:
        return Bottlenecks((), None, 0, times, size, answers)
    probes = layer_probes(model, fit, scored, seed)
    return Bottlenecks(probes, _full_at(probes), len(fit[1]), times, size, answers)


def _full_at(probes: tuple[LayerProbe, ...]) -> str | None:
    best = max((p.score.value for p in probes), default=0.0)
    return next((p.layer for p in probes if p.score.high >= best), None)
