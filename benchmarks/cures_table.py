"""The table of benchmarks/cures.py: who ends not worse than the human fix, and at what cost.

Not worse, in two readings of it. "Not told from it": the 95 % interval of the paired differences (fixed score, same
seeds, never narrower than the size of the validation set allows) reaches zero. "Within the margin": its lower end lies
above minus a tenth of what the human fix gains over the faulty program, or two points of score if that is more; few
noisy seeds count for the program in the first and against it in the second.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from torchdoctor.cures.effect import Effect, Ruler, effect_of

MARGIN, SHARE = 0.02, 0.1
ARMS = {"faulty": "as it is", "searched": "random search", "cured": "torchdoctor"}
# What lies in the user's own forward(), in how data were cut or written down, or in what no score shows: a person must
# change it, and what counts is that it is named.
BY_HAND = frozenset(
    {
        "ignored-input", "mixed-batch", "mode-insensitive-layer", "detached-graph", "unshuffled-split",
        "leaked-validation", "mismatched-splits", "train-mode-evaluation", "slow-data-loading", "growing-memory",
    }
)  # fmt: skip
HEAD = ("case", "a person must write it", "faulty", "human", "torchdoctor", "random search", "verdict", "cost", "fix")

Row = dict[str, Any]


def markdown(rows: Sequence[Row], seeds: int) -> str:
    """The whole page's numbers."""
    if not any(r["truths"] for r in rows):
        return _healthy(rows)
    shown = [r for r in rows if _shows(r)]
    groups = {
        "all": rows,
        "the score shows the fault": shown,
        "of these, settings or surgery can express the fix": [r for r in shown if not by_hand(r)],
    }
    sums = [_sums(name, group) for name, group in groups.items()]
    named = [r for r in rows if by_hand(r)]
    head = ("cases", "number", *(f"{name}: {how}" for name in ARMS.values() for how in ("not told", "margin")), "runs")
    said = sum(r["named"] for r in named)
    return "\n\n".join(
        (
            _grid(head, sums),
            f"A person must write the fix, which no setting reaches, in {len(named)} cases"
            f"{': ' if named else ''}{', '.join(r['case'] for r in named)}. {said} of them are named. {seeds} seeds.",
            _grid(HEAD, map(_cells, rows)),
        )
    )


def placed(page: str, name: str, tables: str) -> str:
    """The page with these tables between its two marks of that name. Raises ValueError where it lacks one."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, there, rest = page.partition(begin)
    _, ends, after = rest.partition(end)
    if not (there and ends):
        raise ValueError(f"The page has no {begin.strip()} ... {end}, between which the tables belong.")
    return f"{before}{begin}\n{tables.strip()}\n\n{end}{after}"


def by_hand(row: Row) -> bool:
    """Whether one of its faults can be mended by a person only."""
    return any(set(names) <= BY_HAND for names in row["truths"])


def not_told(row: Row, arm: str) -> bool:
    """The interval of arm minus human reaches zero; so small a gap that no reader would care is none either."""
    return not _difference(row, arm).harmful or within_margin(row, arm)


def within_margin(row: Row, arm: str) -> bool:
    """The interval of arm minus human lies above the margin."""
    gain = effect_of(_by_seed(row, "human"), _by_seed(row, "faulty"), _ruler(row)).mean
    return _difference(row, arm).low > -max(MARGIN, SHARE * gain)


def _shows(row: Row) -> bool:
    """Whether the human fix is better than the faulty program, beyond doubt and by more than the margin."""
    effect = effect_of(_by_seed(row, "human"), _by_seed(row, "faulty"), _ruler(row))
    return effect.proven and effect.mean > MARGIN


def _difference(row: Row, arm: str) -> Effect:
    return effect_of(_by_seed(row, arm), _by_seed(row, "human"), _ruler(row))


def _sums(name: str, rows: Sequence[Row]) -> tuple[object, ...]:
    shares = []
    for arm in ARMS:
        known = [r for r in rows if arm in r["scores"]]
        shares += [_share(not_told(r, arm) for r in known), _share(within_margin(r, arm) for r in known)]
    cost = statistics.median([r["cost"] for r in rows]) if rows else math.nan
    return name, len(rows), *shares, f"{cost:.1f}"


def _cells(row: Row) -> tuple[object, ...]:
    marks = {arm: _mark(row, arm) for arm in ("cured", "searched")}
    return (
        row["case"], "yes" if by_hand(row) else "", _mean(row, "faulty"), _mean(row, "human"),
        f"{_mean(row, 'cured')} {marks['cured']}", f"{_mean(row, 'searched')} {marks['searched']}",
        row["verdict"], f"{row['cost']:.1f}", ", ".join(row["fixes"]) or ("named" if row["named"] else ""),
    )  # fmt: skip


def _mark(row: Row, arm: str) -> str:
    if arm not in row["scores"]:
        return ""
    return "✓" if within_margin(row, arm) else "~" if not_told(row, arm) else "✗"


def _healthy(rows: Sequence[Row]) -> str:
    changed = [r for r in rows if r["fixes"]]
    lines = [(r["case"], r["verdict"], ", ".join(r["fixes"]), f"{r['cost']:.1f}") for r in rows]
    worse = sum(effect_of(_by_seed(r, "cured"), _by_seed(r, "faulty"), _ruler(r)).harmful for r in changed)
    said = f"{len(changed)} of {len(rows)} healthy recipes were changed, {worse} made worse."
    return f"{said}\n\n{_grid(('recipe', 'verdict', 'fix', 'cost'), lines)}"


def _mean(row: Row, arm: str) -> str:
    scores = [_ruler(row).fair(s) for s in _by_seed(row, arm).values()]
    return f"{statistics.fmean(scores):.3f}" if scores else ""


def _by_seed(row: Row, arm: str) -> dict[int, float]:
    return {int(seed): score for seed, score in row["scores"].get(arm, {}).items()}


def _ruler(row: Row) -> Ruler:
    told = row["ruler"]
    return Ruler(told["samples"], told["kind"], math.nan if told["chance"] is None else told["chance"])


def _share(values: Iterable[bool]) -> str:
    given = list(values)
    return f"{sum(given)} of {len(given)}" if given else ""


def _grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
