"""Names and import paths become objects, and are called with the arguments they take.

A recipe may name any importable function: a recipe from a stranger is a program from a stranger.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from torchdoctor.errors import BadRecipe, did_you_mean


def imported(name: str, table: Mapping[str, str], key: str) -> Callable[..., Any]:
    """What a name of the table, or an import path "package.module:name", stands for. Raises BadRecipe, naming `key`.

    Modules are looked for in the current folder too, as `python script.py` would.
    """
    module_name, _, attribute = table.get(name, name).partition(":")
    try:
        value: Any = _module(module_name)
    except ModuleNotFoundError as error:
        hint = f"It looks for {module_name.partition('.')[0]!r} in {Path.cwd()} and among the installed packages."
        raise BadRecipe(f"{key} = {name!r}: there is no module {error.name!r}. {hint}") from None
    for part in attribute.split("."):
        if not hasattr(value, part):
            public = [n for n in vars(value) if not n.startswith("_")]
            raise BadRecipe(f"{key} = {name!r}: {module_name} has no {part!r}. {did_you_mean(part, public)}")
        value = getattr(value, part)
    if not callable(value):
        raise BadRecipe(f"{key} = {name!r} is a {type(value).__name__}; it must be a class or function.")
    made: Callable[..., Any] = value
    return made


def called(
    function: Callable[..., Any],
    key: str,
    args: Mapping[str, Any],
    *positional: Any,
    offered: Mapping[str, Any] | None = None,
) -> Any:
    """function(*positional, **args), and of `offered` what it takes by name. Raises BadRecipe for an unknown argument.

    key: the place of `args` in the recipe.
    """
    given = {**{k: v for k, v in (offered or {}).items() if takes(function, k)}, **args}
    known, label = _parameters(function), getattr(function, "__name__", "it")
    if known is not None:
        anything = any(p.kind is p.VAR_KEYWORD for p in known.values())
        if unknown := [name for name in args if name not in known and not anything]:
            raise BadRecipe(f"{key}.{unknown[0]}: {label} takes no {unknown[0]!r}. {did_you_mean(unknown[0], known)}")
        try:
            inspect.signature(function).bind(*positional, **given)
        except TypeError as error:
            raise BadRecipe(f"{key} = {dict(args)}: {label} cannot be called so: {error}.") from None
    return function(*positional, **given)


def takes(function: Callable[..., Any], name: str) -> bool:
    """True when the function has a parameter of that name."""
    return name in (_parameters(function) or {})


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    try:
        return inspect.signature(function).parameters
    except ValueError:  # some functions written in C do not say
        return None


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        here = str(Path.cwd())
        if error.name != top or here in sys.path or not any(Path(here, top + end).exists() for end in (".py", "")):
            raise
        sys.path.append(here)  # last, and for good: the module may import its neighbours later
        return import_module(name)
