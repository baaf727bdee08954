"""How numbers, steps and names are written, the same in the terminal, on the page and in the docs."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from torchdoctor.judge.finding import Finding
from torchdoctor.show.texts import Texts, texts

_NOT_RECORDED = re.compile(
    r"needs (.+), not recorded(?: \((.+)\))?"
)  # as judge() words it; all else is told word for word


def number(value: object) -> str:
    """Three significant digits, the thousands readable: 0.0123, 2.3, 1,797, 4.2e9, NaN. Anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return printable(str(value))
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "-∞" if value < 0 else "∞"
    if value == round(value) and abs(value) < 1e6:
        return f"{round(value):,}"
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def count(n: int, thing: str, things: str = "") -> str:
    """1 rule, 2 rules."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def printable(text: str) -> str:
    """Names come from the code under examination: escape sequences and newlines in them are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def sentence(text: str) -> str:
    """With a capital and a full stop, where it has none."""
    clean = printable(text.strip())
    return clean[:1].upper() + clean[1:] + ("" if not clean or clean[-1] in ".!?" else ".")


def listed(names: Iterable[object], at_most: int = 4, t: Texts | None = None) -> str:
    """a, b, c, d and 3 more."""
    words = [printable(str(n)) for n in names]
    t, left = t or texts("en"), len(words) - at_most
    return t("comma").join(words[:at_most]) + (t("and_more", left=left) if left > 0 else "")


def place_of(finding: Finding, t: Texts | None = None, at_most: int = 4) -> str:
    """Where and when: "conv1, fc2 · steps 12–400"; empty when the finding is about the whole run before any step."""
    t = t or texts("en")
    where = listed((t("sample_of", index=w) if isinstance(w, int) else w for w in finding.where), at_most, t)
    return " · ".join(part for part in (where, _steps(finding.steps, t)) if part)


def reasons(not_run: Mapping[str, str], at_most: int = 2) -> str:
    """Why rules could not run, in one breath: "not recorded: val_loss, lr; needs 20 steps, got 7"."""
    absent: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for why in not_run.values():
        if recorded_not := _NOT_RECORDED.fullmatch(why):
            if recorded_not[2]:  # one reason for many signals: a probe that was left out, a model that is compiled
                others[printable(recorded_not[2])] += 1
            else:
                absent.update(need.partition(" or ")[0] for need in recorded_not[1].split(", "))
        else:
            others[printable(why)] += 1
    said = [f"not recorded: {listed(name for name, _ in absent.most_common())}"] if absent else []
    said += [why for why, _ in others.most_common(at_most)]
    left = len(others) - at_most
    return "; ".join(said) + (f"; {count(left, 'other reason')}" if left > 0 else "")


def within(value: float, low: float, high: float) -> str:
    """0.955 [0.914, 0.977], a value and its interval; "–" where it is not defined."""
    if math.isnan(value):
        return "–"
    return short(value) + ("" if math.isnan(low) else f" [{short(low)}, {short(high)}]")


def short(value: float) -> str:
    """Three decimals of what is below a hundred."""
    return f"{value:.3f}" if abs(value) < 100 else number(value)


def chance(p: float) -> str:
    """A p-value: 0.23, or < 0.001."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def _steps(steps: tuple[int, int] | None, t: Texts) -> str:
    if steps is None:
        return ""
    first, last = steps
    return t("at_step", step=first) if first == last else t("at_steps", first=first, last=last)
