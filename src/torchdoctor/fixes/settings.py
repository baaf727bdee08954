"""Whether a recipe can say something: not every model takes every setting.

May not: train, judge, print, build a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.errors import BadRecipe
from torchdoctor.models.names import MODELS
from torchdoctor.recipe.imports import imported, takes


def must_take(recipe: Mapping[str, Any], setting: str) -> None:
    """Raises BadRecipe when the recipe's model has no parameter of that name."""
    name = recipe["model"]["name"]
    if not takes(imported(name, MODELS, "model.name"), setting):
        raise BadRecipe(f"model.{setting}: {name} takes no {setting}; it must be changed in its code.")
