"""Say in one line what is wrong with a recipe: the key, the value, what is allowed, and the nearest name.

May not: import torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from torchdoctor.errors import BadRecipe, did_you_mean

SHOWN = 3  # complaints in one message; the rest is counted
SHORT = 60  # characters of a value


def complaint(error: ValidationError, schema: type[BaseModel], source: str) -> BadRecipe:
    """The error to raise for what pydantic found."""
    first_at_place = {_place(e["loc"]): e for e in reversed(error.errors(include_url=False))}
    said = [_one(e, schema) for e in reversed(first_at_place.values())]
    more = f" (and {len(said) - SHOWN} more)" if len(said) > SHOWN else ""
    return BadRecipe(f"{source}: {' '.join(said[:SHOWN])}{more}")


def _one(error: Mapping[str, Any], schema: type[BaseModel]) -> str:
    keys = _place(error["loc"])
    key = ".".join(map(str, keys))
    if error["type"] in ("extra_forbidden", "invalid_key"):
        known = _keys_beside(keys, schema)
        near = did_you_mean(str(keys[-1]), known)
        allowed = "" if near.startswith("Known") else f" Allowed: {', '.join(known)}."
        return f"there is no {key!r}. {near}{allowed}"
    value = repr(error["input"])
    value = value if len(value) <= SHORT else value[:SHORT] + "..."
    allowed = _allowed(error)
    return f"{key} = {value}: {allowed}" + ("" if allowed.endswith("?") else ".")


def _allowed(error: Mapping[str, Any]) -> str:
    """What the value may be."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(limits["error"]).rstrip(".")
        case "literal_error":
            names = [name.strip(" '") for name in limits["expected"].replace(" or ", ", ").split(",")]
            near = did_you_mean(str(error["input"]), names) if isinstance(error["input"], str) else ""
            return f"must be {limits['expected']}" + (f". {near}" if near.startswith("Did") else "")
        case "model_type" | "dict_type":
            return "must be a section with keys of its own, not a single value"
        case "string_pattern_mismatch":
            names = limits["pattern"].strip("^()$").replace(r"(:\d+)?", " (or cuda:0)").split("|")
            return f"must be {', '.join(names)}"
    text = str(error["msg"])
    return text.removeprefix("Input ").replace("should be", "must be")


def _place(loc: tuple[Any, ...]) -> tuple[Any, ...]:
    """Section and key, without what pydantic adds for the members of a union or the items of a list."""
    return loc[:2] or ("the recipe",)


def _keys_beside(place: tuple[Any, ...], schema: type[BaseModel]) -> list[str]:
    """The keys that would have been right at this place."""
    if len(place) > 1:
        section = schema.model_fields[place[0]].annotation
        assert isinstance(section, type) and issubclass(section, BaseModel)
        schema = section
    return list(schema.model_fields)
