"""Dataclasses of a closed set, as plain JSON values with tensors beside them, and back.

May not: import what a file names, unless the reader's own table holds that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from torch import Tensor

from torchdoctor.errors import did_you_mean


def name_of(value: Any, table: Mapping[str, str]) -> str:
    """What the table {name: import path} calls the value's class."""
    own = f"{type(value).__module__}:{type(value).__qualname__}"
    return next(name for name, path in table.items() if path == own)


def written(value: Any, table: Mapping[str, str], key: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The class by its name, and all fields; those that are tensors go into `tensors`, as KEY.FIELD."""
    content = {field.name: getattr(value, field.name) for field in fields(value)}
    beside = {name: f"{key}.{name}" for name, held in content.items() if isinstance(held, Tensor)}
    tensors.update({beside[name]: content[name] for name in beside})
    plain = {name: held for name, held in content.items() if name not in beside}
    return {"name": name_of(value, table), "fields": plain, "tensors": beside}


def made(plain: Mapping[str, Any], table: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Any:
    """What `written` was given. Raises KeyError, TypeError or ValueError for anything else."""
    if (name := plain["name"]) not in table:
        raise ValueError(f"there is no {name!r}. {did_you_mean(str(name), table)}")
    module, _, attribute = table[name].partition(":")
    beside = {field: tensors[key] for field, key in plain["tensors"].items()}
    return getattr(import_module(module), attribute)(**_frozen(plain["fields"]), **beside)


def _frozen(value: Any) -> Any:
    """As it was before JSON made lists of tuples."""
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return {key: _frozen(held) for key, held in value.items()}
    return value
