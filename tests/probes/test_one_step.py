"""What one real step measures, against what a plain loop measures; symmetric units; trained and untrained weights."""

from __future__ import annotations

import pytest
import torch
from faults import Cut, all_alike_with_dropout, all_zero, on_digits, plain
from measuring import measured
from programs import digits, mlp, schedule_and_quasi_newton, text, transfer, unused_expert, zeros_on_purpose
from torch import nn

from torchdoctor.probes.one_step import one_step
from torchdoctor.probes.random_matrix import structure
from torchdoctor.probes.symmetry import symmetry


def test_norms_and_updates_are_those_of_a_plain_step() -> None:
    parts = mlp()
    x, y = digits(450)
    fixed = [(x[:32] / 16, y[:32])]
    parts = type(parts)(parts.model, parts.loss_fn, torch.optim.SGD(parts.model.parameters(), 0.1), fixed)
    values, _ = measured(one_step, parts)
    nn.functional.cross_entropy(parts.model(fixed[0][0]), fixed[0][1]).backward()
    for name, p in parts.model.named_parameters():
        assert values["param_grad_norm", name] == pytest.approx(float(p.grad.norm()), rel=1e-5)
        assert values["weight_norm", name] == pytest.approx(float(p.detach().norm()), rel=1e-5)
        assert values["update_ratio", name] == pytest.approx(0.1 * float(p.grad.norm() / p.detach().norm()), rel=1e-3)
        assert values["has_grad", name] == 1


def test_activations_at_the_start_are_those_of_a_plain_forward() -> None:
    parts = mlp()
    x, y = digits(64)
    parts = type(parts)(parts.model, parts.loss_fn, parts.optimizer, [(x / 16, y)])
    values, _ = measured(one_step, parts)
    hidden = parts.model[1](x.flatten(1) / 16).detach()
    assert values["start_activation_mean", "1"] == pytest.approx(float(hidden.mean()), abs=1e-5)
    assert values["start_activation_std", "1"] == pytest.approx(float(hidden.std(correction=0)), rel=1e-4)
    dead = (torch.relu(hidden) == 0).all(0).float().mean()
    assert values["start_dead_share", "2"] == pytest.approx(float(dead))
    assert 0.5 < values["fresh_activation_std", "1"] / values["start_activation_std", "1"] < 2


def test_parameters_before_a_cut_reach_the_loss_without_a_gradient() -> None:
    values, _ = measured(one_step, on_digits(Cut()))
    assert values["has_grad", "encoder.weight"] == 0 and values["reaches_loss", "encoder.weight"] == 1
    assert values["has_grad", "head.weight"] == 1 and ("reaches_loss", "head.weight") not in values


def test_an_unused_expert_does_not_reach_the_loss() -> None:
    values, _ = measured(one_step, unused_expert())
    assert values["has_grad", "experts.2.weight"] == 0 and values["reaches_loss", "experts.2.weight"] == 0


def test_trying_a_parameter_puts_it_back() -> None:
    """The update that is measured afterwards would otherwise hold the noise."""
    values, _ = measured(one_step, on_digits(Cut()))
    assert values["update_ratio", "encoder.weight"] == 0


def test_an_optimizer_that_needs_a_closure_makes_its_step() -> None:
    values, _ = measured(one_step, schedule_and_quasi_newton())
    assert values["update_ratio", "0.weight"] > 0


def test_a_model_left_in_eval_mode_is_stepped_in_training_mode() -> None:
    parts = mlp()
    parts.model.insert(3, nn.BatchNorm1d(32))
    parts.model.eval()
    measured(one_step, parts)
    assert not parts.model.training and parts.model[3].running_mean.abs().max() == 0


def test_units_that_no_step_tells_apart_stay_identical() -> None:
    for build in (all_zero, all_alike_with_dropout):
        torch.manual_seed(0)
        values, _ = measured(symmetry, build())
        assert values["identical_rows", "1.weight"] == 1


def test_zeros_on_purpose_are_told_apart_by_a_few_steps() -> None:
    torch.manual_seed(0)
    values, _ = measured(symmetry, zeros_on_purpose())
    assert max(v for (signal, _), v in values.items() if signal == "identical_rows") < 0.5
    assert values["identical_units", "depthwise"] == 0


def test_rows_of_an_embedding_are_no_units() -> None:
    parts = text()
    nn.init.zeros_(parts.model.embedding.weight)
    values, _ = measured(symmetry, parts)
    assert ("identical_rows", "embedding.weight") not in values
    assert ("identical_rows", "head.weight") not in values  # one unit has none beside it


DRAWS = {
    "uniform": lambda w: nn.init.kaiming_uniform_(w, a=5**0.5),
    "normal": lambda w: nn.init.normal_(w, 0.3, 0.02) - 0.3,
    "xavier": nn.init.xavier_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "truncated": lambda w: nn.init.trunc_normal_(w, std=0.02),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
@pytest.mark.parametrize("shape", [(64, 64), (32, 200), (300, 300), (16, 8, 3, 3)])
def test_drawn_weights_have_no_structure(draw: object, shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    value = structure(draw(torch.empty(shape)))  # type: ignore[operator]
    assert value is not None and value < 1.1


def test_trained_weights_have_structure_at_any_scale() -> None:
    torch.manual_seed(0)
    weight = transfer().model[0][3].weight
    assert structure(weight) > 1.2
    assert structure(weight) == pytest.approx(structure(weight * 1e-3), rel=1e-6)


def test_of_small_and_broken_matrices_nothing_is_said() -> None:
    assert structure(torch.randn(4, 4)) is None
    assert structure(torch.randn(64)) is None
    assert structure(torch.full((32, 32), float("nan"))) is None
    assert structure(torch.zeros(32, 32)) is None


def test_structure_is_measured_of_what_does_not_learn_only() -> None:
    model = plain()
    model[1].requires_grad_(False)
    values, _ = measured(one_step, on_digits(model))
    assert ("weight_structure", "1.weight") in values and ("weight_structure", "3.weight") not in values
