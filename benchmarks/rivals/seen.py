"""What the rivals look at, read from one recorded run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from torchdoctor.judge.trace import Trace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """accuracy, val_accuracy, train_loss, val_loss: one number an epoch, as far as the loop logged them; of regressions
    the "accuracy" is R2, which is kinder than Keras' accuracy of real numbers. loss: one a step."""

    probed: Trace
    watched: Trace
    loss: Floats
    train_loss: Floats
    val_loss: Floats
    accuracy: Floats
    val_accuracy: Floats

    @classmethod
    def of(cls, probed: Trace, watched: Trace) -> Seen:
        loss, train_loss, val_loss = (watched[name].values for name in ("loss", "train_loss", "val_loss"))
        accuracy, val_accuracy = watched["train_score"].values, watched["val_score"].values
        accuracy = accuracy if len(accuracy) else val_accuracy
        return cls(probed, watched, loss, train_loss, val_loss, accuracy, val_accuracy)

    def module(self, name: str) -> str:
        """The class of a module."""
        return self.watched.module_type(name)

    def weight_gradients(self) -> list[Floats]:
        """Norms over the sampled steps, of each weight matrix, in the order of the layers (biases left out)."""
        return [series for _, series in self._matrices("param_grad_norm")]

    def gradient_sizes(self) -> Iterator[Floats]:
        """Root mean square of each weight's gradient: what stands for the mean of its absolute values, a bit larger."""
        for name, series in self._matrices("param_grad_norm"):
            yield series / math.sqrt(self._numbers(name))

    def weight_variances(self) -> Iterator[Floats]:
        """Mean squares of each weight, which have hardly a mean: what stands for their variance."""
        for name, series in self._matrices("weight_norm"):
            yield series**2 / self._numbers(name)

    def layers(self, signal: str, *types: str) -> Iterator[Floats]:
        """A signal over the steps, of each module of these classes (of all, when none is given)."""
        for name, series in self.watched.each(signal):
            if len(series) and (not types or self.module(name) in types):
                yield series.values

    def not_finite(self) -> bool:
        """A loss, a gradient or a weight was NaN or infinite."""
        recorded = [self.loss, self.watched["grad_norm"].values, *self.weight_gradients(), *self.weight_variances()]
        return any(not np.isfinite(values).all() for values in recorded)

    def largest_input(self) -> float:
        """The largest absolute value of the inputs, where they are numbers and not ids."""
        floating = "float" in str(self.probed.facts.get("inputs", {}).get("dtype", "float"))
        return self.probed["input_absmax"].median() if floating and len(self.probed["input_absmax"]) else 0.0

    def learning_rates(self) -> list[float]:
        """One for each group of the optimizer, as it was set."""
        groups = self.watched.facts.get("optimizer", {}).get("groups", [])
        return [float(g["lr"]) for g in groups if g.get("lr") is not None]

    def _matrices(self, signal: str) -> Iterator[tuple[str, Floats]]:
        for name, series in self.watched.each(signal):
            if len(series) and len(self._shape(name)) > 1:
                yield name, series.values

    def _shape(self, name: str) -> list[int]:
        return list(self.watched.facts.get("parameters", {}).get(name, {}).get("shape", []))

    def _numbers(self, name: str) -> int:
        return max(1, math.prod(self._shape(name)))
