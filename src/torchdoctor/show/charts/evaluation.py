"""Pictures of an evaluation, from the plain values that evaluation.json holds.

May not: write HTML, read files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torchdoctor.show.charts.measured import UNIT, matrix, measured
from torchdoctor.show.charts.option import Option
from torchdoctor.show.texts import Texts

Found = Mapping[str, Any]
DRAWN = 4  # classes in colour; more would not be told apart
DIAGONAL = ((0.0, 0.0), (1.0, 1.0))


def pictures(found: Found, t: Texts) -> dict[str, Option]:
    """{name: option} of what there is; raises KeyError, TypeError or ValueError for values that are no evaluation's."""
    makers: dict[str, Callable[[Found, Texts], Option | None]] = {
        "confusion": _confusion, "reliability": _reliability, "reliability-after": _reliability_after, "roc": _roc,
        "pr": _pr, "disturbed-noise": _disturbed("noise"), "disturbed-blur": _disturbed("blur"),
        "disturbed-contrast": _disturbed("contrast"), "attacks": _attacks, "residuals": _residuals,
    }  # fmt: skip
    options = {name: make(found, t) for name, make in makers.items()}
    return {name: option for name, option in options.items() if option}


def _confusion(found: Found, t: Texts) -> Option | None:
    rows = [[int(n) for n in row] for row in found["confusion"]]
    return matrix([str(c) for c in found["classes"]], rows, lambda truth, guess: t("called", truth=truth, guess=guess))


def _reliability(found: Found, t: Texts) -> Option | None:
    return _bins(found["calibration"]["bins"], t) if found["calibration"] else None


def _reliability_after(found: Found, t: Texts) -> Option | None:
    return _bins(found["calibration"]["bins_after"], t) if found["calibration"] else None


def _bins(bins: Sequence[Mapping[str, Any]], t: Texts) -> Option | None:
    points = [(float(b["confidence"]), float(b["accuracy"])) for b in bins]
    ends = [(float(b["confidence"]), float(b["accuracy_low"]), float(b["accuracy_high"])) for b in bins]
    return measured(t("confidence"), t("share_right"), {"": points}, bars=ends, guide=DIAGONAL, x_span=UNIT,
                    y_span=UNIT)  # fmt: skip


def _roc(found: Found, t: Texts) -> Option | None:
    """The classes with the smallest areas; the others would lie on one another."""
    worst = sorted(found["curves"], key=lambda c: float(c["roc_area"]))[:DRAWN]
    lines = {f"{c['name']}, {float(c['roc_area']):.4f}": _points(c["roc"]) for c in worst}
    return measured(t("false_alarms"), t("hits"), lines, guide=DIAGONAL, x_span=UNIT, y_span=UNIT)


def _pr(found: Found, t: Texts) -> Option | None:
    worst = sorted(found["curves"], key=lambda c: float(c["pr_area"]))[:DRAWN]
    lines = {f"{c['name']}, {float(c['pr_area']):.4f}": _points(c["pr"]) for c in worst}
    return measured(t("recall"), t("precision"), lines, x_span=UNIT, y_span=UNIT)


def _disturbed(name: str) -> Callable[[Found, Texts], Option | None]:
    def make(found: Found, t: Texts) -> Option | None:
        r = found["robustness"]
        if not r or name not in r["curves"]:
            return None
        some = r["curves"][name]
        clean = (1.0 if name == "contrast" else 0.0, float(r["clean"]["value"]))
        points = sorted([clean, *((float(p["degree"]), float(p["score"]["value"])) for p in some)])
        bars = [(float(p["degree"]), float(p["score"]["low"]), float(p["score"]["high"])) for p in some]
        return measured(t.word(f"disturbed.{name}"), _what(found, t), {"": points}, bars=bars, y_span=_span(found))

    return make


def _attacks(found: Found, t: Texts) -> Option | None:
    r = found["robustness"]
    if not r:
        return None
    lines = {
        name.upper(): [(float(p["degree"]), float(p["score"]["value"])) for p in r["curves"].get(name, [])]
        for name in ("fgsm", "pgd")
    }
    return measured(t("largest_change"), _what(found, t), lines, y_span=_span(found))


def _residuals(found: Found, t: Texts) -> Option | None:
    if not found["residuals"]:
        return None
    points = _points(found["residuals"]["drawn"])
    ends = [v for point in points for v in point] or [0.0]
    line = ((min(ends), min(ends)), (max(ends), max(ends)))
    return measured(t("truth"), t("answer"), {"": points}, dots=True, guide=line)


def _points(pairs: Sequence[Sequence[Any]]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in pairs]


def _what(found: Found, t: Texts) -> str:
    return t("rmse") if found["kind"] == "numbers" else t("accuracy")


def _span(found: Found) -> tuple[float, float] | None:
    return None if found["kind"] == "numbers" else UNIT
