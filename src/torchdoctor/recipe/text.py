"""Recipes as text: YAML in and out, overrides `a.b=c`, and the difference of two.

May not: know the schema, import torch.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from torchdoctor.errors import BadRecipe


class _Reader(yaml.SafeLoader):
    """Safe YAML, but 1e-3 is a number (YAML 1.1 takes it for text) and a key given twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):  # of others the parent complains
                if key in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=key_node.start_mark)
                seen.add(key)
        return super().construct_mapping(node, deep)


class _Writer(yaml.SafeDumper):
    """Sections as blocks, lists on one line."""

    def represent_list(self, data: Iterable[Any]) -> yaml.SequenceNode:
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


_Writer.add_representer(list, _Writer.represent_list)
for _class in (_Reader, _Writer):  # the writer too, so that it puts the text "1e3" in quotes
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises BadRecipe when there is no file, or no mapping in it."""
    try:
        values = _parsed(path.read_text("utf-8"))
    except OSError as error:
        raise BadRecipe(f"Cannot read the recipe {str(path)!r}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BadRecipe(f"{path} is no text: byte {error.start} is not UTF-8. Give a YAML file.") from None
    except yaml.YAMLError as error:
        raise BadRecipe(f"{path} is not valid YAML: {_short(error)}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadRecipe(f"{path} holds a {type(values).__name__}; a recipe is a mapping, such as train: {{epochs: 5}}.")
    return values


def written(values: Mapping[str, Any]) -> str:
    """The values as YAML, in their own order."""
    return yaml.dump(dict(values), Dumper=_Writer, sort_keys=False, default_flow_style=False, allow_unicode=True)


def parsed(overrides: Iterable[str]) -> dict[str, Any]:
    """("train.epochs=5", "model.output=none") -> {"train.epochs": 5, "model.output": "none"}; values are YAML."""
    patch: dict[str, Any] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise BadRecipe(f"{text!r} sets nothing; write key=value, for example train.epochs=5.")
        try:
            patch[key.strip()] = _parsed(value)
        except yaml.YAMLError as error:
            raise BadRecipe(f"{text!r}: the value is not valid YAML: {_short(error)}.") from None
    return patch


def with_values(values: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with others at dotted places; neither argument is changed."""
    changed = dict(values)
    for key, value in patch.items():
        first, dot, rest = key.partition(".")
        if not dot:
            changed[first] = value
            continue
        inner = changed.get(first)
        if inner is not None and not isinstance(inner, Mapping):
            raise BadRecipe(f"{key}: {first!r} is a single value ({inner!r}), it has no {rest!r} inside.")
        changed[first] = with_values(inner or {}, {rest: value})
    return changed


def diff(before: str, after: str) -> str:
    """A unified diff of two recipe files, "" when they are the same. As in git, the section stands behind the @@."""
    a, b = before.splitlines(), after.splitlines()
    lines = list(difflib.unified_diff(a, b, "before", "after", n=1, lineterm=""))
    return "".join(f"{line} {_section(line, a)}".rstrip() + "\n" if line[:2] == "@@" else line + "\n" for line in lines)


def _section(hunk: str, lines: list[str]) -> str:
    """The section that a hunk "@@ -7,3 +7,3 @@" begins in."""
    start = int(re.findall(r"\d+", hunk)[0])
    return next((line for line in reversed(lines[:start]) if line[:1].strip() and line.endswith(":")), "")


def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=_Reader)  # noqa: S506 - _Reader is a SafeLoader


def _short(error: yaml.YAMLError) -> str:
    """One line of an error that YAML spreads over several."""
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + (getattr(error, "problem", None) or " ".join(str(error).split()))
