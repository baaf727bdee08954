"""Remedies on experiments: as a patch of the recipe where there is one, else by surgery on what build() returns.

May not: train, judge, print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts, BadRecipe, one_line
from torchdoctor.experiment import Experiment
from torchdoctor.fixes.fix import code_of, resolve
from torchdoctor.fixes.surgery import first_batch
from torchdoctor.judge.finding import Remedy
from torchdoctor.probes.bench import scalar
from torchdoctor.probes.fork import preserved
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.seed import random_state, seed_all, set_random_state

Key = tuple[tuple[str, str], ...]


def treated(experiment: Experiment, remedies: Sequence[Remedy]) -> Experiment:
    """The experiment with all of them. Patches of the recipe come first: what they change is built anew from it."""
    left = []
    for remedy in remedies:
        patched = _patched(experiment, remedy)
        if patched is None:
            left.append(remedy)
        else:
            experiment = patched
    for remedy in sorted(left, key=lambda r: resolve(r).epochs is None):  # first those that say how long a run is
        experiment = resolve(remedy).on(experiment, **remedy.options)
    return experiment


def unsaid(experiment: Experiment, remedies: Sequence[Remedy]) -> list[Remedy]:
    """Those that a recipe cannot say, and a person must write; all of them where there is no recipe."""
    return [r for r in remedies if _patched(experiment, r) is None]


def patch_of(experiment: Experiment, remedies: Sequence[Remedy]) -> dict[str, Any]:
    """{"optimizer.lr": 0.01, ...}: what of the remedies the recipe can say; empty where there is no recipe."""
    after = treated(experiment, remedies).recipe
    if experiment.recipe is None or after is None:
        return {}
    old, new = flat(experiment.recipe), flat(after)
    return {key: new[key] for key in new if new[key] != old.get(key)}


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """{"optimizer": {"lr": 1}} as {"optimizer.lr": 1}."""
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    inside = (flat(inner, f"{prefix}.{name}" if prefix else name) for name, inner in values.items())
    return {key: value for found in inside for key, value in found.items()}


def why_not(experiment: Experiment, remedies: Sequence[Remedy], seed: int = 0) -> str:
    """Why the last of the remedies cannot be used on top of the others; "" when it can: one batch went through."""
    if remedies and resolve(remedies[-1]).own_loop and (experiment.fit is None or experiment.recipe is not None):
        return "The loop is torchdoctor's own already."
    numbers = random_state()
    try:
        seed_all(seed)
        parts = treated(experiment, remedies).parts(seed)
        with preserved(parts):
            batch = first_batch(parts)
            loss = scalar(parts.loss_fn(parts.model(*batch.inputs), batch.target))
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
    except (BadParts, BadRecipe) as refusal:
        return str(refusal)
    except Exception as error:  # noqa: BLE001 - the user's model and loss, changed, run in here
        return one_line(error)
    finally:
        set_random_state(numbers)
    return ""


def without_length(remedies: Sequence[Remedy]) -> list[Remedy]:
    """Without those that only change the number of epochs."""
    return [r for r in remedies if resolve(r).epochs is None]


def key_of(remedies: Sequence[Remedy]) -> Key:
    """What tells one set of remedies from another, whatever their order."""
    return tuple(sorted((r.fix, repr(sorted(r.options.items()))) for r in remedies))


def names_of(remedies: Sequence[Remedy]) -> str:
    """ "standardize-inputs + set-learning-rate" """
    return " + ".join(r.fix for r in remedies) or "unchanged"


def lines_of(remedies: Sequence[Remedy]) -> str:
    """The remedies as the lines a person would write."""
    return "\n\n".join(code_of(r).strip("\n") for r in remedies)


def _patched(experiment: Experiment, remedy: Remedy) -> Experiment | None:
    fix = resolve(remedy)
    if experiment.recipe is None or fix.patch is None:
        return None
    recipe = Recipe.from_dict(experiment.recipe)
    try:
        patch = fix.patch(recipe.to_dict(), **remedy.options)
    except BadRecipe:
        return None
    changed = recipe.patched(patch)
    if changed == recipe:  # what is wrong does not stand in the recipe but in the user's own code
        return None
    after = changed.experiment()
    epochs = after.epochs if "train.epochs" in patch else experiment.epochs
    return replace(after, epochs=epochs, score=experiment.score, name=experiment.name)
