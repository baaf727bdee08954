"""How much score is left when inputs are disturbed, and whether the attack that says so can be trusted.

May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor
from torchdoctor.evaluate.interval import Interval, bootstrap, wilson
from torchdoctor.evaluate.reading import Reading
from torchdoctor.evaluate.robustness.attack import Bounds, Loss, fgsm, pgd, random_corner
from torchdoctor.evaluate.robustness.corruptions import DEGREES, corruptions_for
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating

SAMPLES = 256  # attacked; the PGD of one eps costs as much as 40 forward and 20 backward passes over them
BATCH = 128
# eps as shares of the range of the inputs: 8/255 is the usual one for photographs, 0.1 and 0.3 for MNIST.
RADII = (0.0, 2 / 255, 8 / 255, 0.1, 0.3)
SLACK = 1e-5  # rounding of float32


@dataclass(frozen=True)
class Point:
    """degree: of the disturbance. score: accuracy that is left, or root mean squared error."""

    degree: float
    score: Interval


@dataclass(frozen=True)
class SelfTest:
    """One thing that must be true of a sound attack, and whether it is; numbers in `said`."""

    name: str
    passed: bool
    said: str


@dataclass(frozen=True)
class Robustness:
    """curves: {"noise": points of falling strength of input, ...; "fgsm", "pgd": eps as a share of the inputs' range}.

    clean: the score of the same samples undisturbed. low, high: the range of the inputs. self_tests: of the attacks;
    one that failed means that the model may look more robust than it is.
    """

    samples: int
    clean: Interval
    low: float
    high: float
    curves: Mapping[str, tuple[Point, ...]]
    self_tests: tuple[SelfTest, ...]

    @property
    def sound(self) -> bool:
        return all(test.passed for test in self.self_tests)


def robustness(model: nn.Module, x: Tensor, target: Tensor, reading: Reading, *, seed: int = 0) -> Robustness:
    """On inputs x (N, ...), decimals. The same seed gives the same numbers."""
    device = device_of(model)
    x, target = x.to(device), target.to(device)
    trial = _Trial(model, x, target, reading, torch.Generator().manual_seed(seed))
    with evaluating(model):
        curves = {
            name: tuple(Point(degree, trial.score(corrupt(x, degree, trial.generator))) for degree in DEGREES[name])
            for name, corrupt in corruptions_for(x).items()
        }
        for name in ("fgsm", "pgd"):
            curves[name] = tuple(Point(radius, trial.score(trial.attacked(name, radius))) for radius in RADII)
        return Robustness(len(x), trial.score(x), float(x.min()), float(x.max()), curves, trial.self_tests())


class _Trial:
    """One model on one set of samples."""

    def __init__(
        self, model: nn.Module, x: Tensor, target: Tensor, reading: Reading, generator: torch.Generator
    ) -> None:
        self.model, self.x, self.target, self.reading, self.generator = model, x, target, reading, generator
        # Of a table each feature has its own range.
        self.low, self.high = (x.amin(0), x.amax(0)) if x.ndim == 2 else (x.min(), x.max())
        self._made: dict[tuple[str, float], Tensor] = {("pgd", 0.0): x, ("fgsm", 0.0): x}

    def bounds(self, radius: float) -> Bounds:
        return Bounds(radius * (self.high - self.low), self.low, self.high)

    def attacked(self, name: str, radius: float) -> Tensor:
        """All samples under fgsm or pgd; each is made once."""
        if (name, radius) not in self._made:
            self._made[name, radius] = self.attack(name, radius)
        return self._made[name, radius]

    def attack(self, name: str, radius: float, **options: Any) -> Tensor:
        """All samples under fgsm, pgd or random noise of the same size."""
        bounds, made = self.bounds(radius), []
        for start in range(0, len(self.x), BATCH):
            rows = slice(start, start + BATCH)
            x, loss = self.x[rows], self._loss(rows)
            if name == "random":
                made.append(random_corner(x, bounds, self.generator))
            else:
                made.append(
                    fgsm(x, loss, bounds) if name == "fgsm" else pgd(x, loss, bounds, self.generator, **options)
                )
        return torch.cat(made)

    def losses(self, x: Tensor) -> Tensor:
        """(N,) of every sample."""
        parts = [slice(start, start + BATCH) for start in range(0, len(x), BATCH)]
        return torch.cat([self._loss(rows)(x[rows]) for rows in parts])

    def score(self, x: Tensor) -> Interval:
        if self.reading.kind == "numbers":
            squared = self.losses(x).double().cpu().numpy()
            return bootstrap(lambda e: float(np.sqrt(e.mean())), [squared], times=400)
        odds = torch.cat([self.reading.log_odds(self._output(part)) for part in torch.split(x, BATCH)])
        return wilson(int((odds.argmax(1) == self.reading.truth(self.target)).sum()), len(x))

    def self_tests(self) -> tuple[SelfTest, ...]:
        """Whatever a published defence has been broken for not looking at.

        Athalye, Carlini, Wagner, "Obfuscated Gradients Give a False Sense of Security", ICML 2018; Carlini et al., "On
        Evaluating Adversarial Robustness", 2019.
        """
        radius = RADII[2]
        plain, one, many = self.x, self.attacked("fgsm", radius), self.attacked("pgd", radius)
        width = (self.high - self.low).clamp_min(1e-12)
        off = max(float(((a - plain).abs() / width).max()) for a in (one, many))
        outside = max(float((torch.maximum(self.low - a, a - self.high) / width).max()) for a in (one, many))
        clean, first, last = (float(self.losses(a).mean()) for a in (plain, one, many))
        none = self.attack("pgd", 0.0, steps=2)
        chance = float(self.losses(self.attack("random", radius)).mean())
        tests = [
            SelfTest("stays within eps", off <= radius + SLACK, f"{off:.4g} of {radius:.4g} of the range"),
            SelfTest("stays in range", outside <= SLACK, f"{max(0.0, outside):.2g} of the range outside"),
            SelfTest("eps 0 changes nothing", bool(torch.equal(none, plain)), "inputs are bit-identical"),
            SelfTest("the loss rises", last > clean, f"{clean:.4g} to {last:.4g}"),
            SelfTest(
                "PGD is at least as strong as FGSM", last >= first - SLACK, f"loss {last:.4g} against {first:.4g}"
            ),
            SelfTest("PGD beats random noise", last > chance, f"loss {last:.4g} against {chance:.4g}"),
        ]
        if self.reading.kind == "classes":
            left = self.score(self.attack("pgd", 1.0, steps=20)).value
            tests.append(
                SelfTest("without a bound nothing survives", left <= 0.02, f"{left:.1%} left at eps = whole range")
            )
        return tuple(tests)

    def _output(self, x: Tensor) -> Tensor:
        return first_tensor(self.model(x))

    def _loss(self, rows: slice) -> Loss:
        target = self.target[rows]
        return lambda x: self.reading.surprise(self._output(x), target)
