"""Where one class is rare, a threshold fitted on validation finds more of it than one half does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from torch import nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.options import QUICK
from torchdoctor.evaluate.threshold import best_threshold
from torchdoctor.show.evaluation_text import remarks


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 500), n=st.integers(5, 60))
def test_no_other_threshold_has_a_higher_f1(seed: int, n: int) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.random(n) < 0.3
    truth[:2] = True, False
    chance = (truth * 0.3 + draw.random(n)) / 1.3
    best = f1_score(truth, chance >= best_threshold(chance, truth))
    assert best == pytest.approx(max(f1_score(truth, chance >= at) for at in chance))


def rare(seed: int, n: int = 400) -> TensorBatches:
    """One in ten is of the second class; its logit is an honest one, mostly below zero."""
    draw = torch.Generator().manual_seed(seed)
    y = (torch.rand(n, generator=draw) < 0.1).long()
    logit = 2 * y - 2.2 + torch.randn(n, generator=draw)
    return TensorBatches(torch.stack([torch.zeros(n), logit], 1), y)


def test_a_rare_class_is_found_more_often_from_a_lower_probability_on() -> None:
    found = evaluate(nn.Identity(), rare(0), val=rare(1), classes=("healthy", "ill"), options=QUICK)
    (moved,) = found.thresholds
    assert moved.name == "ill" and moved.value < 0.5 and moved.after.value > moved.before.value
    assert next(c for c in found.by_class if c.name == "ill").f1.value == pytest.approx(moved.before.value)
    assert any("instead of 0.50 (fitted on validation), ill has an F1" in line for line in remarks(found))


def test_without_validation_or_with_three_classes_none_is_moved() -> None:
    assert evaluate(nn.Identity(), rare(0), options=QUICK).thresholds == ()
    x, y = torch.randn(60, 3), torch.arange(60) % 3
    loader = TensorBatches(x, y)
    assert evaluate(nn.Identity(), loader, val=loader, options=QUICK).thresholds == ()
