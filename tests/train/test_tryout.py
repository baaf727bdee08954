"""What the first batch would meet is told before there is a run folder, and leaves no mark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.run import train
from torchdoctor.train.tryout import tried

SMALL = {
    "data": {"name": "iris", "scale": "standard"},
    "model": {"name": "mlp"},
    "train": {"epochs": 1, "device": "cpu"},
}


@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_a_loss_that_does_not_fit_the_targets_leaves_no_folder(loss: str, tmp_path: Path) -> None:
    with pytest.raises(BadParts, match="first batch cannot be trained on"):
        train(Recipe.from_dict({**SMALL, "loss": {"name": loss}}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_try_leaves_weights_statistics_order_and_random_numbers_as_they_were() -> None:
    recipe: dict[str, Any] = {**SMALL, "model": {"name": "mlp", "normalization": "batch", "dropout": 0.5}}
    tried_parts, plain = (Recipe.from_dict(recipe).experiment().parts(0) for _ in range(2))
    torch.manual_seed(3)
    numbers = torch.get_rng_state()
    tried(tried_parts)
    assert torch.equal(torch.get_rng_state(), numbers)
    for one, other in zip(tried_parts.model.state_dict().values(), plain.model.state_dict().values()):
        assert torch.equal(one, other)
    assert torch.equal(next(iter(tried_parts.train))[0], next(iter(plain.train))[0])


def test_scaling_by_nought_is_refused() -> None:
    with pytest.raises(BadRecipe, match="std of 0"):
        Recipe.from_dict({"data": {"scale": [1.0, 0.0]}})
    with pytest.raises(BadRecipe, match="std of 0"):
        Recipe.from_dict({"data": {"scale": [0.0, [1.0, 0.0]]}})
