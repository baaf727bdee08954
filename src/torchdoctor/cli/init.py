"""`torchdoctor init`: a recipe to start from, every key with its default and what it means."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import note, print_json
from torchdoctor.cli.verb import verb

if TYPE_CHECKING:
    from pydantic import BaseModel

HEAD = "# torchdoctor check -c {path}    (or train, or cure). What is left out takes the value shown.\n\n"


@verb
def init(
    path: Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write the recipe.")] = Path("recipe.yaml"),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of recipes, for editors.")] = False,
) -> None:
    """Write a recipe to start from. Every key is there, with its default and what it means."""
    from torchdoctor.recipe.schema import Recipe

    if schema:
        print_json(Recipe.json_schema())
        return

    from torchdoctor.errors import BadRecipe

    if path.exists():
        raise BadRecipe(f"{path} exists already. Remove it, or give another name: torchdoctor init other.yaml")
    text = HEAD.format(path=path.name) + "\n".join(_commented(Recipe())) + "\n"
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise BadRecipe(f"Cannot write {path}: {error.strerror}. Give another place: torchdoctor init FILE") from None
    note(f"Wrote {path}. Next: torchdoctor check -c {path}")


def _commented(section: BaseModel, indent: str = "") -> Iterator[str]:
    """The section as YAML, above each key what it means."""
    from pydantic import BaseModel

    from torchdoctor.recipe.text import written

    for key, field in type(section).model_fields.items():
        value = getattr(section, key)
        nested = isinstance(value, BaseModel)
        meaning = (type(value).__doc__ or "") if nested else (field.description or "")
        yield from textwrap.wrap(meaning, 100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")
        if nested:
            yield f"{indent}{key}:"
            yield from _commented(value, indent + "  ")
            yield ""
        else:
            plain = section.model_dump(mode="json", include={key})
            yield textwrap.indent(written(plain).rstrip(), indent)
