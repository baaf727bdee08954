"""Does a model that says 90 % sure come out right nine times in ten? Calibration error, its reliability diagram, and
temperature scaling.

May not: import torch, change a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.interval import Floats, Ints, wilson

BINS = 15
SIMULATIONS = 400
COLDEST, HOTTEST = 0.05, 20.0


@dataclass(frozen=True)
class Bin:
    """Samples whose confidence lies in (low, high]: how many, mean confidence, share that is right with its 95 %
    interval."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float


@dataclass(frozen=True)
class Calibration:
    """error: expected calibration error, 0..1, over `bins` equally wide bins of the likeliest class's probability.

    noise: the error that a perfectly calibrated model with the same confidences stays under in 95 % of samples of this
    size; an error below it says nothing. gap: mean confidence minus accuracy; above zero the model is too sure.
    temperature: what the logits must be divided by, fitted on validation; above 1 makes it less sure. None without
    validation, or where validation holds no mistake to learn from. error_after, loss_before, loss_after: on the
    evaluated part, before and after scaling; the loss is the mean -log of the probability of the truth, in nats.
    """

    error: float
    noise: float
    gap: float
    bins: tuple[Bin, ...]
    loss_before: float
    temperature: float | None = None
    error_after: float | None = None
    loss_after: float | None = None
    bins_after: tuple[Bin, ...] = ()


def calibration(answers: Answers, fitted_on: Answers | None = None, bins: int = BINS, seed: int = 0) -> Calibration:
    """Of classes. fitted_on: answers on other samples (validation) that the temperature is fitted on."""
    confidence, right = answers.confidence, answers.right
    before = Calibration(
        error=calibration_error(confidence, right, bins),
        noise=calibration_noise(confidence, bins, seed),
        gap=float(confidence.mean() - right.mean()),
        bins=reliability(confidence, right, bins),
        loss_before=float(answers.surprise.mean()),
    )
    if fitted_on is None or fitted_on.right.all():  # without a mistake the best temperature would be zero
        return before
    heat = temperature(fitted_on.log_odds, fitted_on.truth)
    scaled = log_softmax(answers.log_odds / heat, axis=1)
    cooler = np.exp(scaled.max(1))
    return Calibration(
        before.error, before.noise, before.gap, before.bins, before.loss_before, heat,
        calibration_error(cooler, right, bins),
        float(-scaled[np.arange(len(answers)), answers.truth].mean()),
        reliability(cooler, right, bins),
    )  # fmt: skip


def calibration_error(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: over `bins` equally wide bins of 0..1, each (low, high], the mean distance between
    mean confidence and share right, weighted by the bins' samples.

    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
    """
    place = _places(confidence, bins)
    difference = np.bincount(place, confidence - right, minlength=bins)
    return float(np.abs(difference).sum() / len(confidence))


def calibration_noise(confidence: Floats, bins: int = BINS, seed: int = 0) -> float:
    """The 95 % point of the error when every sample is right with just the probability that the model says.

    The error of a finite sample is never zero: with 180 samples a perfect model shows 0.02 to 0.08.
    """
    random = np.random.default_rng(seed)
    errors = [
        calibration_error(confidence, random.random(len(confidence)) < confidence, bins) for _ in range(SIMULATIONS)
    ]
    return float(np.quantile(errors, 0.95))


def reliability(confidence: Floats, right: NDArray[np.bool_], bins: int = BINS) -> tuple[Bin, ...]:
    """The bins that hold samples."""
    place = _places(confidence, bins)
    made = []
    for k in np.unique(place):
        inside = place == k
        hits = wilson(int(right[inside].sum()), int(inside.sum()))
        low, high, mean = float(k / bins), float((k + 1) / bins), float(confidence[inside].mean())
        made.append(Bin(low, high, int(inside.sum()), mean, hits.value, hits.low, hits.high))
    return tuple(made)


def temperature(log_odds: Floats, truth: Ints | Sequence[int]) -> float:
    """What (N, K) logits or log-probabilities must be divided by so that the truth (N,) is likeliest, within 0.05..20.

    Guo et al. 2017, section 4.2. One number cannot change which class is the likeliest.
    """
    rows = np.arange(len(log_odds))

    def loss(log_heat: float) -> float:
        return float(-log_softmax(log_odds / np.exp(log_heat), axis=1)[rows, truth].mean())

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return float(np.exp(found.x))


def _places(confidence: Floats, bins: int) -> Ints:
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
