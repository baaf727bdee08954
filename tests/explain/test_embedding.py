"""What enters the last weights of a model, and where that lies in a plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.explain.embedding import embedded, projected


class Own(nn.Module):
    """Its last weights run last, but stand first; behind them comes a module without any."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(3, 2)
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.out = nn.LogSoftmax(1)

    def forward(self, x: Tensor) -> Any:
        return self.out(self.head(self.body(x)))


def test_it_is_what_enters_the_module_with_weights_that_runs_last() -> None:
    model, x = Own(), torch.rand(7, 1, 8, 8)
    seen = embedded(model, (x,))
    assert seen.layer == "head" and seen.features.shape == (7, 3)
    with torch.no_grad():
        wanted = model.eval().body(x)
    assert np.allclose(seen.features, wanted.numpy(), atol=1e-6)
    assert torch.allclose(seen.output, model(x))


def test_the_model_is_left_as_it_was() -> None:
    model = Own().train()
    model.body.eval()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    embedded(model, (torch.rand(3, 1, 8, 8),))
    assert model.training and not model.body.training and not model.head._forward_pre_hooks
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_a_model_without_weights_has_no_embedding() -> None:
    with pytest.raises(BadParts, match="No module with weights"):
        embedded(nn.Flatten(), (torch.rand(3, 2, 2),))


def test_groups_that_lie_apart_lie_apart_in_the_plane() -> None:
    draw = np.random.default_rng(0)
    groups = np.repeat([0, 1], 30)
    plane = projected(draw.normal(0, 0.1, (60, 5)) + 5 * groups[:, None])
    for places in (plane.pca, plane.tsne):
        middles = [places[groups == g].mean(0) for g in (0, 1)]
        spread = max(np.linalg.norm(places[groups == g] - middles[g], axis=1).max() for g in (0, 1))
        assert np.linalg.norm(middles[0] - middles[1]) > spread
    assert plane.explained[0] > 0.9


@pytest.mark.parametrize("features", [np.zeros((3, 4)), np.full((20, 4), np.nan)])
def test_too_few_samples_or_numbers_that_are_none_have_no_plane(features: np.ndarray) -> None:
    with pytest.raises(BadParts, match="at least 10 samples"):
        projected(features)


@pytest.mark.parametrize("features", [np.ones((12, 1)), np.zeros((12, 3))])
def test_samples_that_are_all_alike_have_no_plane(features: np.ndarray) -> None:
    with pytest.raises(BadParts, match="the same features"):
        projected(features)


@pytest.mark.parametrize("features", [np.arange(12.0)[:, None], np.eye(12), np.eye(12, 60)])
def test_whatever_is_finite_and_differs_can_be_laid_into_a_plane(features: np.ndarray) -> None:
    plane = projected(features)
    assert plane.pca.shape == plane.tsne.shape == (12, 2) and np.isfinite(plane.tsne).all()
