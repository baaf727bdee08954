"""A Fix is a named change that removes a cause: on live objects, as a recipe patch, and as code for a person.

A finding names fixes as data (`Remedy`); this is where the name becomes a deed.
May not: train, judge, print.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torchdoctor.discover import find
from torchdoctor.errors import BadUnit
from torchdoctor.experiment import Experiment, Fit
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts

Apply = Callable[..., Parts]
Patch = Callable[..., Mapping[str, Any]]
Code = Callable[..., str]
Epochs = Callable[..., int]
Loop = Callable[..., Fit | None]


@dataclass(frozen=True)
class Fix:
    """apply(parts, **options) -> parts, on freshly built parts, before training.

    patch(recipe as a dict, **options) -> {"optimizer.lr": 0.01}: the same change for a recipe; None where no recipe can
    express it, BadRecipe from it where this one cannot. code(**options) -> the lines a person would write.
    epochs(epochs, **options) -> epochs.
    own_loop: the fault is in the user's loop; the fix is to train with torchdoctor's own.
    loop(fit, **options) -> fit: what changes how any loop ends; None when the loop stays.
    full_length: its effect shows at the end of a whole run only, so a short race says nothing about it.
    sets: what of the program it decides alone, such as "rate"; of two fixes that set the same, the later would undo the
    earlier, so they are never tried together.
    """

    name: str
    doc: str
    options: Mapping[str, Any]
    apply: Apply
    patch: Patch | None
    code: Code
    epochs: Epochs | None
    own_loop: bool
    loop: Loop | None
    full_length: bool
    sets: str
    module: str

    def on(self, experiment: Experiment, **options: Any) -> Experiment:
        """The same experiment with this one thing changed."""
        self._check(options)
        if "epochs" in self.options:  # of the run that it is put into
            options = {"epochs": experiment.epochs, **options}
        build = experiment.build
        return replace(
            experiment,
            build=lambda seed: self.apply(build(seed), **options),
            epochs=self.epochs(experiment.epochs, **options) if self.epochs else experiment.epochs,
            fit=None if self.own_loop else self.loop(experiment.fit, **options) if self.loop else experiment.fit,
        )

    def _check(self, options: Mapping[str, Any]) -> None:
        if unknown := set(options) - set(self.options):
            raise BadUnit(f"Fix {self.name!r} has no option {sorted(unknown)}; it has {sorted(self.options)}.")


def fix(
    *,
    code: Code,
    patch: Patch | None = None,
    epochs: Epochs | None = None,
    own_loop: bool = False,
    loop: Loop | None = None,
    full_length: bool = False,
    sets: str = "",
) -> Callable[[Apply], Fix]:
    """Make a fix of its live surgery `apply(parts, *, options...)`; it is named like the function, with hyphens."""

    def make(fn: Apply) -> Fix:
        options = {p.name: p.default for p in inspect.signature(fn).parameters.values() if p.kind is p.KEYWORD_ONLY}
        name = fn.__name__.replace("_", "-")
        doc = inspect.getdoc(fn) or ""
        return Fix(name, doc, options, fn, patch, code, epochs, own_loop, loop, full_length, sets, fn.__module__)

    return make


def resolve(remedy: Remedy) -> Fix:
    """The fix a finding names; BadUnit when no file in fixes/ or entry point has it."""
    return find("fixes", Fix, remedy.fix)


def code_of(remedy: Remedy) -> str:
    """The remedy as the lines a person would write."""
    return resolve(remedy).code(**remedy.options)
