"""The attacks keep their promises, and their self-tests notice a model that hides its gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from torchdoctor.evaluate.reading import Reading
from torchdoctor.evaluate.robustness.attack import Bounds, fgsm, pgd, random_corner
from torchdoctor.evaluate.robustness.corruptions import DEGREES, blurred, corruptions_for, faded, noisy
from torchdoctor.evaluate.robustness.robustness import RADII, robustness


def fitted(n=200, size=6, seed=0):
    """A small network that tells bright upper halves from bright lower halves; pictures in 0..1."""
    random = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = 0.35 + 0.1 * torch.rand(n, 1, size, size, generator=random)
    x[y == 0, :, : size // 2] += 0.12
    x[y == 1, :, size // 2 :] += 0.12
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(size * size, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    optimizer.zero_grad()
    return model, x, y


def loss_of(model, y):
    return lambda x: nn.functional.cross_entropy(model(x), y, reduction="none")


@given(eps=st.floats(0, 0.6), seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_attacked_inputs_stay_within_eps_and_in_range_and_pgd_is_at_least_as_strong(eps, seed):
    model, x, y = fitted(40, seed=seed % 3)
    bounds, loss = Bounds(eps, float(x.min()), float(x.max())), loss_of(model, y)
    one, many = fgsm(x, loss, bounds), pgd(x, loss, bounds, torch.Generator().manual_seed(seed), steps=5)
    for attacked in (one, many, random_corner(x, bounds, torch.Generator().manual_seed(seed))):
        assert float((attacked - x).abs().max()) <= eps + 1e-6
        assert float(attacked.min()) >= bounds.low and float(attacked.max()) <= bounds.high
    with torch.no_grad():
        assert (loss(many) >= loss(one)).all() and (loss(many) >= loss(x)).all()


def test_fgsm_of_a_linear_model_is_the_known_optimum():
    weights = torch.tensor([[1.0, -2.0, 0.5]])
    x = torch.zeros(4, 3)
    attacked = fgsm(x, lambda at: (at @ weights.T)[:, 0], Bounds(0.1, -1, 1))
    assert torch.allclose(attacked, 0.1 * weights.sign().expand(4, 3))


def test_no_eps_changes_nothing_and_whatever_is_attacked_the_model_keeps_its_state():
    model, x, y = fitted(40)
    before = [p.clone() for p in model.parameters()]
    assert torch.equal(pgd(x, loss_of(model, y), Bounds(0.0, 0, 1), torch.Generator(), steps=3), x)
    pgd(x, loss_of(model, y), Bounds(0.1, 0, 1), torch.Generator(), steps=3)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
    assert all(p.grad is None or not p.grad.any() for p in model.parameters())


def test_a_sound_attack_passes_its_tests_and_breaks_the_network():
    model, x, y = fitted()
    state = torch.get_rng_state()
    found = robustness(model, x, y, Reading("scores"))
    assert torch.equal(state, torch.get_rng_state())
    assert found.sound and len(found.self_tests) == 7
    pgd_curve = [p.score.value for p in found.curves["pgd"]]
    assert [p.degree for p in found.curves["pgd"]] == list(RADII)
    assert found.clean.value == pgd_curve[0] == 1.0 and pgd_curve[-1] < 0.1
    assert pgd_curve == sorted(pgd_curve, reverse=True)
    assert found.curves["noise"][0].score.value > 0.95
    assert robustness(model, x, y, Reading("scores")) == found


class Hidden(nn.Module):
    """Rounds its inputs to a few grey levels: the answers change, the gradient is zero everywhere."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model((x * 8).round() / 8)


def test_a_model_that_hides_its_gradient_is_found_out():
    model, x, y = fitted()
    found = robustness(Hidden(model), x, y, Reading("scores"))
    failed = {test.name for test in found.self_tests if not test.passed}
    assert not found.sound
    assert "without a bound nothing survives" in failed


def test_numbers_are_attacked_by_their_squared_error():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(60, 4, generator=random)
    model = nn.Linear(4, 1)
    found = robustness(model, x, model(x).detach(), Reading("numbers"))
    assert found.clean.value < 1e-6 and found.curves["pgd"][-1].score.value > 0.1
    assert set(found.curves) == {"noise", "fgsm", "pgd"}


def test_corruptions_do_what_they_say():
    x = torch.rand(8, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    same = torch.Generator().manual_seed(1)
    noise = noisy(x, 0.5, same) - x
    assert float(noise.std()) == pytest.approx(0.5 * float(x.std()), rel=0.1)
    assert torch.allclose(faded(x, 0.5, same).mean((1, 2, 3)), x.mean((1, 2, 3)), atol=1e-6)
    assert torch.allclose(faded(x, 0.5, same).std((1, 2, 3)), 0.5 * x.std((1, 2, 3)), atol=1e-6)
    spreads = [float(blurred(x, degree, same).std()) for degree in DEGREES["blur"]]
    assert spreads == sorted(spreads, reverse=True) and spreads[0] > 0.9 * float(x.std())
    assert float(blurred(x, 0.1, same).mean()) == pytest.approx(float(x.mean()), abs=0.02)
    assert set(corruptions_for(x)) == {"noise", "blur", "contrast"} and set(corruptions_for(x[:, 0, 0])) == {"noise"}
