"""Page `compare`: runs beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from torchdoctor.board.folder import Place
from torchdoctor.board.opened import Board, traced
from torchdoctor.board.page import Asked, Made, page
from torchdoctor.cures.effect import Ruler, effect_of
from torchdoctor.judge.series import Series
from torchdoctor.recipe.text import diff, written
from torchdoctor.record.folder import DATABASE
from torchdoctor.show.charts.curves import curves
from torchdoctor.show.charts.run import STEEP
from torchdoctor.show.sparkline import DECADES
from torchdoctor.show.thin import thinned

MOST = 8  # runs: as many as there are colours to tell apart
ANY = Ruler(samples=10**9, kind="own")  # a recorded score does not say what it was measured on: seeds alone speak
SIGNALS = ("loss", "val_loss", "train_score", "val_score", "grad_norm", "lr")


@page
def compare(board: Board, asked: Asked) -> Made:
    """Curves of several runs over each other, what their recipes differ in, last values, what was found in each."""
    places = [board.place(key) for key in dict.fromkeys(asked.at[:MOST])]
    summaries = [{"key": at.key, "state": at.state, **board.summary(at)} for at in places]
    sound = [at for at, s in zip(places, summaries) if DATABASE in at.files and not s["error"]]
    names = _short([at.key for at in sound])
    lines = {at.key: board.kept("compared", at, lambda at=at: _thin(at)) for at in sound}  # type: ignore[misc]
    made = {}
    for signal in SIGNALS:
        group = {names[key]: Series.of(s[signal][1], steps=s[signal][0]) for key, s in lines.items() if signal in s}
        if option := curves(group, asked.texts, decades=STEEP.get(signal, DECADES)):
            made[f"curve-{signal}"] = option
    recipes = {at.key: board.recipe(at) for at in sound}
    return {
        "runs": summaries, "most": MOST, "names": names,
        "findings": {at.key: [f.name for f in board.report(at) if f.alarm] for at in sound},
        "settings": _settings(recipes), "diff": _diff(recipes), "charts": made,
        "paired": _paired(recipes, {str(s["key"]): s["val_score"] for s in summaries}),
    }  # fmt: skip


def _thin(at: Place) -> dict[str, Any]:
    """{signal: [steps, values]}, as many as a chart shows; NaN as None, which becomes NaN again."""
    found = {}
    for signal in SIGNALS:
        series = thinned(traced(at, [signal])[signal])
        if len(series) > 1:
            found[signal] = [series.steps.tolist(), series.values.tolist()]
    return found


def _short(keys: list[str]) -> dict[str, str]:
    """Without what all names begin with, up to a slash."""
    parts = [key.split("/") for key in keys]
    same = 0
    while len(keys) > 1 and all(len(p) > same + 1 and p[same] == parts[0][same] for p in parts):
        same += 1
    return {key: "/".join(p[same:]) for key, p in zip(keys, parts)}


def _settings(recipes: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """{setting: {run: value}} of those that are not the same in all."""
    flat = {key: dict(_flat(recipe)) for key, recipe in recipes.items() if recipe}
    every = dict.fromkeys(name for values in flat.values() for name in values)
    table = {name: {key: values.get(name, "") for key, values in flat.items()} for name in every}
    return {name: row for name, row in table.items() if len(set(row.values())) > 1}


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict) and value and len(before) < 200:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", str(value)[:200]


def _paired(recipes: Mapping[str, dict[str, Any]], scores: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Runs of one recipe on several seeds, against each other group of the same seeds: the difference of the last
    validation scores, seed by seed, with Student's 95 % interval. Two groups that share one seed prove nothing."""
    groups: dict[str, dict[int, str]] = {}
    for key, recipe in recipes.items():
        if recipe and isinstance(scores[key], float | int):
            plain = {name: value for name, value in recipe.items() if name not in ("seed", "name")}
            groups.setdefault(written(plain), {})[_seed(recipe)] = key
    found = []
    for first, second in combinations(groups.values(), 2):
        seeds = sorted(set(first) & set(second))
        if len(seeds) > 1:
            before, after = ({seed: float(scores[some[seed]]) for seed in seeds} for some in (first, second))
            effect = effect_of(after, before, ANY)
            pairs = [(seed, first[seed], second[seed], before[seed], after[seed]) for seed in seeds]
            found.append({"pairs": pairs, **effect.to_dict(), "differs": effect.proven or effect.harmful})
    return found


def _seed(recipe: Mapping[str, Any]) -> int:
    return seed if isinstance(seed := recipe.get("seed", 0), int) else 0


def _diff(recipes: Mapping[str, dict[str, Any]]) -> str:
    """Of the first two that have a recipe."""
    texts = [written(recipe) for recipe in recipes.values() if recipe][:2]
    return diff(*texts) if len(texts) == 2 else ""
