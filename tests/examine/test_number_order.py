"""Amounts, and numbers of classes that were taken for amounts."""

from __future__ import annotations

import pytest
import torch

from torchdoctor.examine.material import Material, Part
from torchdoctor.examine.number_order import number_order
from torchdoctor.judge.trace import Trace
from torchdoctor.rules.loss.wrong_loss import wrong_loss

RANDOM = torch.Generator().manual_seed(0)
KINDS = torch.randint(8, (600,), generator=RANDOM)
PLACES = torch.randn(8, 6, generator=RANDOM)[KINDS] * 2 + torch.randn(600, 6, generator=RANDOM)
STEPS = torch.bucketize(PLACES[:, 0].contiguous(), torch.linspace(-3, 3, 7))


def looked_at(x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    return {m.signal: float(m.value) for m in number_order.run(Material({"train": Part(x, y)}))}


def alarmed(seen: dict[str, float]) -> bool:
    trace = Trace.of({"targets": {"kind": "continuous"}}, agreeing_loss=0.0, disagreeing_loss=4.0, **seen)
    return bool(list(wrong_loss.judge(trace)))


def test_numbers_of_classes_agree_with_their_neighbours_or_are_any_number() -> None:
    seen = looked_at(PLACES, KINDS.float())
    assert seen["whole_targets"] == 8 and seen["neighbour_agreement"] > 0.6 and seen["neighbour_apart"] > 0.8
    assert alarmed(seen)


def test_steps_of_an_amount_lie_near_those_of_their_neighbours() -> None:
    seen = looked_at(PLACES, STEPS.float())
    assert seen["neighbour_apart"] < 0.7 and not alarmed(seen)


@pytest.mark.parametrize("y", [KINDS, KINDS + 0.5, KINDS.float() * 2, torch.stack([KINDS, KINDS], 1).float()])
def test_classes_decimals_gaps_and_several_targets_are_not_asked(y: torch.Tensor) -> None:
    assert looked_at(PLACES, y) == {}
