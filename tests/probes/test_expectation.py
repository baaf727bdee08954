"""What a loss expects is found by feeding it, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchdoctor.probes.expectation import Expectation, expectation

CLASSES = torch.arange(64) % 8
YES_NO = (torch.arange(64) % 2).float()


def shares(output: Tensor, target: Tensor) -> Tensor:
    """A cross-entropy that makes probabilities of positive numbers by dividing them by their sum."""
    chosen = output.gather(1, target[:, None]) / output.sum(1, keepdim=True)
    return -chosen.clamp(1e-7, 1 - 1e-7).log().mean()


def hinge(output: Tensor, target: Tensor) -> Tensor:
    return (1 - (2 * target - 1) * output).clamp_min(0).mean()


def hinge_of_classes(output: Tensor, target: Tensor) -> Tensor:
    return hinge(output, F.one_hot(target, output.shape[1]))


@pytest.mark.parametrize(
    ("loss", "target", "expected"),
    [
        (nn.CrossEntropyLoss(), CLASSES, Expectation(scores=True, axis=1)),
        (nn.NLLLoss(), CLASSES, Expectation(log_probabilities=True, axis=1)),
        (shares, CLASSES, Expectation(probabilities=True, axis=1)),
        (hinge_of_classes, CLASSES, Expectation()),
    ],
)
def test_losses_of_classes(loss: Callable[..., Tensor], target: Tensor, expected: Expectation) -> None:
    assert expectation(loss, torch.zeros(64, 8), target) == expected


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (nn.BCEWithLogitsLoss(), Expectation(scores=True)),
        (nn.BCELoss(), Expectation(probabilities=True)),
        (nn.MSELoss(), Expectation()),
        (hinge, Expectation(scores=True)),
    ],
)
@pytest.mark.parametrize("shape", [(64,), (64, 1)])
def test_losses_of_yes_and_no(loss: Callable[..., Tensor], expected: Expectation, shape: tuple[int, ...]) -> None:
    assert expectation(loss, torch.zeros(shape), YES_NO.reshape(shape)) == expected
