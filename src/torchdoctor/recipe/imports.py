"""Names and import paths become objects, and are called with the arguments they take.

A recipe may name any importable function: a recipe from a stranger is a program from a stranger.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

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
        _must_be_allowed(function, key, args)
    return function(*positional, **given)


def takes(function: Callable[..., Any], name: str) -> bool:
    """True when the function has a parameter of that name."""
    return name in (_parameters(function) or {})


def _must_be_allowed(function: Callable[..., Any], key: str, args: Mapping[str, Any]) -> None:
    """Raises BadRecipe for a value that is none of those that the parameter's type lists."""
    try:
        types = get_type_hints(function.__init__ if inspect.isclass(function) else function)
    except Exception:  # noqa: BLE001 - annotations may name what only a type checker imports
        return
    for name, value in args.items():
        allowed = _listed(types.get(name))
        if allowed and value not in allowed:
            near = did_you_mean(value, [a for a in allowed if isinstance(a, str)]) if isinstance(value, str) else ""
            raise BadRecipe(
                f"{key}.{name} = {value!r}: must be {', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}."
                + (f" {near}" if near.startswith("Did") else "")
            )


def _listed(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal, or of a union of Literals and None; none for any other type."""
    if annotation is NoneType:
        return (None,)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) not in (Union, UnionType):
        return ()
    members = [_listed(member) for member in get_args(annotation)]
    return tuple(value for member in members for value in member) if all(members) else ()


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
