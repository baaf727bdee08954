"""Attributions find what decides; their checks notice one that does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from torchdoctor.errors import BadParts
from torchdoctor.evaluate.reading import Reading
from torchdoctor.explain.attribution import METHODS, attributed, integrated_gradients
from torchdoctor.explain.checks import completeness, deletion, deletion_drops, drawn_anew, randomisation
from torchdoctor.explain.subject import Subject, convolutions, last_maps

pytest.importorskip("captum")


def spots(n=64, size=12, seed=0):
    """Noise with a bright spot: in the upper left for class 0, in the lower right for class 1."""
    random = torch.Generator().manual_seed(seed)
    x, y = 0.3 * torch.rand(n, 1, size, size, generator=random), torch.arange(n) % 2
    x[y == 0, :, 2:5, 2:5] += 1
    x[y == 1, :, 7:10, 7:10] += 1
    return x, y


@pytest.fixture(scope="module")
def net():
    """A small convolutional net that has learnt to tell the spots."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(128, 2),
        )  # fmt: skip
    x, y = spots()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert (model(x).argmax(1) == y).all()
    return model.eval()


@pytest.fixture(scope="module")
def subject(net):
    return Subject.of(net, Reading("scores"), spots()[0])


def share_inside(maps, y):
    """Share of a map's positive values that lies on the spots, widened by a pixel."""
    inside = torch.zeros_like(maps)
    inside[y == 0, 1:6, 1:6] = 1
    inside[y == 1, 6:11, 6:11] = 1
    positive = maps.clamp_min(0)
    return float((positive * inside).sum() / positive.sum())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_points_at_the_spot(subject, method):
    x, y = spots(16, seed=1)
    maps = attributed(subject, x, y, method)
    assert maps.shape == (16, 12, 12) and not maps.requires_grad
    assert share_inside(maps, y) > (0.25 if method == "saliency" else 0.5)  # the spots fill 17 % of the picture


def test_integrated_gradients_of_a_linear_model_are_weight_times_difference():
    model = nn.Linear(5, 2)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    subject = Subject.of(model, Reading("scores"), x)
    target = torch.ones(7, dtype=torch.long)
    found = integrated_gradients(subject, x, target).detach()
    assert torch.allclose(found, model.weight.detach()[1] * (x - x.mean(0)), atol=1e-5)
    check = completeness(subject, x, target)
    assert check.passed and check.said.startswith("0.0%")


def test_a_net_that_has_learnt_passes_all_checks_for_integrated_gradients(subject):
    x, y = spots(16, seed=2)
    assert completeness(subject, x, y).passed
    assert randomisation(subject, x, y, "integrated-gradients").passed
    assert deletion(subject, x, y, "integrated-gradients").passed


def test_a_map_that_does_not_know_where_the_spot_is_does_not_pass_deletion(subject):
    x, y = spots(16, seed=2)
    top, other = deletion_drops(subject, x, y, torch.rand(16, 12, 12, generator=torch.Generator().manual_seed(1)))
    assert abs(top.mean() - other.mean()) < 0.3 * np.abs(other).max()
    good, _ = deletion_drops(subject, x, y, attributed(subject, x, y, "occlusion"))
    assert good.mean() > 2 * top.mean()


def test_a_map_that_ignores_the_weights_fails_the_randomisation_check():
    """The gradient of a sum is one everywhere, whatever the weights; integrated gradients then show the input."""

    class Ink(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Linear(3, 3)

        def forward(self, x):
            ink = x.flatten(1).sum(1)
            return torch.stack([ink, -ink], 1)

    x, y = spots(8)
    check = randomisation(Subject.of(Ink(), Reading("scores"), x), x, y, "integrated-gradients")
    assert check.passed is False and "1.00" in check.said


def test_a_model_that_cannot_be_drawn_anew_is_said_not_to_be_tested():
    class Fixed(nn.Module):
        def forward(self, x):
            return x[:, :2]

    x = torch.rand(5, 3)
    check = randomisation(Subject.of(Fixed(), Reading("scores"), x), x, torch.zeros(5).long(), "saliency")
    assert check.passed is None and "reset_parameters" in check.said
    assert drawn_anew(Fixed()) is None


def test_explaining_changes_neither_the_model_nor_random_numbers(net):
    weights, state = [p.clone() for p in net.parameters()], torch.get_rng_state()
    net.train()
    x, y = spots(8)
    subject = Subject.of(net, Reading("scores"), x)
    for method in METHODS:
        attributed(subject, x, y, method)
        randomisation(subject, x, y, method)
    assert torch.equal(state, torch.get_rng_state()) and net.training and net[1].inplace
    assert all(torch.equal(a, b) and b.requires_grad for a, b in zip(weights, net.parameters()))
    assert not any(m._forward_hooks for m in net.modules())
    net.eval()


def test_grad_cam_looks_after_the_activation_and_names_what_it_cannot_use(subject):
    x, y = spots(4)
    assert convolutions(subject.model, x) == ("0", "2") and last_maps(subject.model, x) == "3"
    flat = Subject.of(nn.Sequential(nn.Flatten(), nn.Linear(144, 2)), Reading("scores"), x)
    with pytest.raises(BadParts, match="convolution"):
        attributed(flat, x, y, "grad-cam")
    with pytest.raises(BadParts, match="'grad-cam'"):
        attributed(subject, x, y, "gradcam")


def test_one_output_of_a_yes_or_no_model_speaks_for_both_classes():
    model = nn.Linear(3, 1)
    x = torch.randn(6, 3)
    subject = Subject.of(model, Reading("logit"), x)
    assert torch.equal(subject.scores(x)[:, 1:], model(x)) and torch.equal(subject.scores(x)[:, :1], -model(x))


def test_token_ids_are_refused_in_one_line():
    with pytest.raises(BadParts, match="decimals"):
        Subject.of(nn.EmbeddingBag(5, 2), Reading("scores"), torch.zeros(4, 3).long())
