"""The bias of the last layer starts at the base rates of the targets."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.models.output_bias import prior, set_output_bias
from torchdoctor.recipe.schema import Recipe


def test_class_numbers_give_log_shares_and_a_loss_at_the_entropy() -> None:
    y = torch.tensor([0] * 6 + [1] * 3 + [2])
    bias = prior(y, 3)
    assert torch.allclose(bias.exp(), torch.tensor([0.6, 0.3, 0.1]).double())
    loss = nn.functional.cross_entropy(bias.expand(10, 3), y)
    entropy = -sum(p * math.log(p) for p in (0.6, 0.3, 0.1))
    assert float(loss) == pytest.approx(entropy)


def test_a_class_without_samples_gets_a_finite_bias_and_ignored_labels_do_not_count() -> None:
    bias = prior(torch.tensor([0, 0, 1, -100]), 3)
    assert torch.allclose(bias[:2].exp(), torch.tensor([2 / 3, 1 / 3]).double()) and bias[2].isfinite()
    assert bias[2] < bias[1]


def test_zeros_and_ones_give_log_odds_by_column_and_other_numbers_their_means() -> None:
    y = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    assert torch.allclose(prior(y, 2).sigmoid(), torch.tensor([0.75, 0.25]).double())
    assert prior(torch.tensor([1.0, 1.0]), 1).isfinite().all()
    assert prior(torch.tensor([[3.0], [5.0]]), 1).tolist() == [4.0]


def test_it_is_written_into_the_last_layer_alone() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.LogSoftmax(1))
    first = model[0].bias.detach().clone()
    set_output_bias(model, torch.tensor([1.0, 2.0]))
    assert model[2].bias.tolist() == [1.0, 2.0] and torch.equal(model[0].bias, first)
    set_output_bias(model, 0.0)
    assert model[2].bias.tolist() == [0.0, 0.0]


def test_a_last_layer_that_cannot_take_it_is_named() -> None:
    with pytest.raises(BadParts, match="'0' has no bias"):
        set_output_bias(nn.Sequential(nn.Linear(4, 3, bias=False)), torch.zeros(3))
    with pytest.raises(BadParts, match="has 3 outputs, but the targets ask for 2"):
        set_output_bias(nn.Sequential(nn.Linear(4, 3)), torch.zeros(2))
    with pytest.raises(BadParts, match="no dense or convolutional layer"):
        set_output_bias(nn.ReLU(), 0.0)


def test_a_recipe_starts_at_the_shares_of_its_training_classes() -> None:
    recipe = Recipe.from_dict({"model": {"name": "mlp", "output_bias": "prior"}, "train": {"device": "cpu"}})
    parts = recipe.experiment().build(0)
    shares = parts.train.y.bincount(minlength=10) / len(parts.train.y)
    assert torch.allclose(parts.model.fc3.bias.detach().exp(), shares.float(), atol=1e-6)


def sets() -> tuple[torch.utils.data.Dataset, torch.utils.data.Dataset]:
    data = torch.utils.data.TensorDataset(torch.randn(8, 3), torch.zeros(8).long())
    return data, data


def test_data_sets_that_hide_their_targets_are_told() -> None:
    recipe = Recipe.from_dict(
        {
            "data": {"name": f"{__name__}:sets"},
            "model": {"name": "mlp", "output_bias": "prior", "args": {"outputs": 2}},
            "train": {"device": "cpu"},
        }
    )
    with pytest.raises(BadRecipe, match=r"model.output_bias = 'prior': .*returns data sets"):
        recipe.experiment().build(0)
