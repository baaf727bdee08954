"""A Step is one thing done to inputs before a model sees them. What it must know it learns from training samples.

May not: see targets, see validation or test samples, draw random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Protocol, Self

from torchdoctor.data.columns import Columns, kinds_of
from torchdoctor.errors import BadParts, did_you_mean

On = Literal["columns", "tensor"]


class Step(Protocol):
    """A frozen dataclass. Its fields are its options and what it has learnt: text, numbers, tuples, dicts by name, or
    tensors; so it can be written down, and be made again from what was written.

    on: whether it takes a table by column, or a tensor (N, ...).
    """

    on: ClassVar[On]

    def fit(self, x: Any) -> Self:
        """The same step with what it learnt from training samples."""

    def __call__(self, x: Any) -> Any:
        """The samples after the step, N as before. Only for a step that has learnt."""


def chosen_columns(x: Columns, asked: tuple[str, ...] | None, kind: str, step: str) -> tuple[str, ...]:
    """The columns asked for, else all of that kind. Raises BadParts for one that is not there or of another kind."""
    kinds = kinds_of(x)
    if asked is None:
        return tuple(name for name, found in kinds.items() if found == kind)
    for name in asked:
        if name not in kinds:
            raise BadParts(f"{step}: there is no column {name!r}. {did_you_mean(name, kinds)}")
        if kinds[name] != kind:
            raise BadParts(f"{step} is for columns of {kind}s; {name!r} holds {kinds[name]}s.".replace("texts", "text"))
    return tuple(asked)


def replaced(x: Columns, new: Mapping[str, Columns]) -> Columns:
    """The table with other columns in the place of those that `new` names."""
    made: Columns = {}
    for name, values in x.items():
        there = new.get(name, {name: values})
        if twice := next((n for n in there if n in made), None):
            raise BadParts(f"After this step two columns are called {twice!r}; rename one, or leave it out.")
        made.update(there)
    return made
