"""Receptive fields against arithmetic; patches show what excites; walks keep to their way."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.explain.latent import between, latent_axes, latent_walk
from torchdoctor.explain.receptive import Fields, fields, placed
from torchdoctor.explain.seen import PATCHES, seen


@given(
    kernel=st.integers(1, 5), stride=st.integers(1, 3), padding=st.integers(0, 2), dilation=st.integers(1, 2),
    pool=st.integers(1, 2), second=st.integers(1, 3),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_fields_are_those_of_the_arithmetic(kernel, stride, padding, dilation, pool, second):
    side = 27
    model = nn.Sequential(
        nn.Conv2d(1, 2, kernel, stride, padding, dilation), nn.ReLU(), nn.MaxPool2d(pool), nn.Conv2d(2, 3, second)
    )
    found = fields(model, ("3",), torch.zeros(1, 1, side, side))["3"]
    for i, span in enumerate(found.rows):
        pooled = range(i, i + second)
        convolved = [p * pool + q for p in pooled for q in range(pool)]
        pixels = {c * stride - padding + k * dilation for c in convolved for k in range(kernel)} & set(range(side))
        assert span == ((min(pixels), max(pixels)) if pixels else (0, 0))
    assert found.columns == found.rows


def test_a_skip_connection_and_batch_normalisation_are_seen_through():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.norm, self.b = nn.Conv2d(1, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Conv2d(1, 1, 1)

        def forward(self, x):
            return self.b(self.norm(self.a(x)) + x)

    found = fields(Block().eval(), ("a", "b"), torch.rand(1, 1, 9, 9))
    assert found["a"].rows[4] == found["b"].rows[4] == (3, 5) and found["a"].rows[0] == (0, 1)


def test_maps_are_laid_where_the_units_look():
    model = nn.Sequential(nn.Conv2d(1, 1, 5))  # sees 5 x 5 without padding: its first unit looks at pixel 2
    reach = fields(model, ("0",), torch.zeros(1, 1, 12, 12))["0"]
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 3, 5] = 1
    over = placed(maps, reach, (12, 12))
    assert over.shape == (1, 1, 12, 12) and over[0, 0].argmax() == 5 * 12 + 7 and float(over.max()) == pytest.approx(1)


def test_where_all_units_see_everything_maps_are_spread_over_the_picture():
    whole = Fields(((0, 7), (0, 7)), ((0, 7), (0, 7)))
    over = placed(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), whole, (8, 8))[0, 0]
    assert over[0, :2].tolist() == [0, 0] and over[0, 6:].tolist() == [1, 1] and over[3, 3] + over[3, 4] == 1


def test_the_patches_are_the_places_that_excite_most_of_different_samples():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))
    with torch.no_grad():
        model[0].weight[0] = torch.tensor([[-1.0, 2, -1]] * 3)
    x = torch.rand(20, 1, 10, 10, generator=torch.Generator().manual_seed(1))
    x[7, 0, 4:7, 3] += 5  # a bright upright line
    (layer,) = seen(model, ("0",), x[:1], x)
    best = layer.patches[0]
    assert best[0].sample == 7 and (best[0].row, best[0].column) == (4, 2)
    assert torch.equal(best[0].pixels, x[7, :, 4:7, 2:5]) and len(best) == PATCHES == len({p.sample for p in best})
    with torch.no_grad():
        maps = model[0](x)
    assert [p.excitation for p in best] == sorted(maps[:, 0].flatten(1).amax(1).tolist(), reverse=True)[:PATCHES]
    assert torch.allclose(layer.maps, maps[0], atol=1e-5) and layer.field == (3, 3) and layer.channels == 2


@given(seed=st.integers(0, 100), share=st.floats(0, 1))
def test_a_spherical_walk_keeps_the_length_and_both_ends(seed, share):
    a, b = torch.nn.functional.normalize(torch.randn(2, 6, generator=torch.Generator().manual_seed(seed)), dim=1) * 3
    points = between(a, b, torch.tensor([0.0, share, 1.0]))
    assert torch.allclose(points.norm(dim=1), torch.full((3,), 3.0), atol=1e-3)
    assert torch.allclose(points[0], a, atol=1e-4) and torch.allclose(points[2], b, atol=1e-4)


def test_walks_take_any_decoder_and_refuse_points_that_do_not_fit():
    decoder = nn.Sequential(nn.Linear(4, 9), nn.Unflatten(1, (1, 3, 3)))
    start, end = torch.randn(2, 4)
    walk = latent_walk(decoder, start, end, steps=5, way="straight")
    assert walk.shape == (5, 1, 3, 3) and not walk.requires_grad
    assert torch.allclose(walk[2], decoder((start + end)[None] / 2)[0], atol=1e-5)
    axes = latent_axes(lambda z: 2 * z, torch.zeros(4), torch.eye(4)[:2], reach=1.5, steps=3)
    assert axes.shape == (2, 3, 4) and axes[1, :, 1].tolist() == [-3, 0, 3]
    assert torch.equal(between(start, -start, torch.tensor([0.5]))[0], torch.zeros(4))
    with pytest.raises(BadParts, match=r"\(4,\) to \(3,\)"):
        latent_walk(decoder, start, end[:3])
    with pytest.raises(BadParts, match="do not fit"):
        latent_axes(decoder, start, torch.eye(3))
