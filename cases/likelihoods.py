"""Count the likelihoods that ranking rests on, and try them on programs they were not counted from.

    python -m cases.likelihoods [--write]

reads build/cases/table.json, which `python -m cases.run` writes, and prints how well chances hold for families of
programs that were left out, for several settings. --write puts the counts into src/torchdoctor/judge/likelihoods.py.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from torchdoctor.discover import discover
from torchdoctor.judge import likelihoods
from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.odds import PRIOR, TRUST, Counts, Likelihoods, Sign
from torchdoctor.judge.ranking import ranked, signs
from torchdoctor.judge.rule import Rule

TABLE = Path(__file__).parents[1] / "build" / "cases" / "table.json"
SIGNS = ("severity", "strength", "symptoms", "beside")
BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
SETTINGS = tuple((prior, trust) for prior in (1.0, 2.0, 4.0, 8.0, 16.0) for trust in (0.0, 0.25, 0.5, 1.0))


@dataclass(frozen=True)
class Named:
    """A cause that was named in a run. right: the run has it. task: what the program is for; fault: its main one."""

    sign: Sign
    right: bool
    task: str
    fault: str


@dataclass(frozen=True)
class Kept:
    """Chances between low and high that were given to findings of families left out. mean: of the chances."""

    low: float
    high: float
    findings: int
    mean: float
    right: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the trial; with --write, write the counts. 1 when there is no table yet."""
    parser = argparse.ArgumentParser(prog="python -m cases.likelihoods", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the counts where ranking reads them")
    asked = parser.parse_args(arguments)
    if not TABLE.is_file():
        print(f"{TABLE} is not there. Run `python -m cases.run` first.", file=sys.stderr)
        return 1
    table = json.loads(TABLE.read_text("utf-8"))
    found = named(table)
    for prior, trust in SETTINGS:
        losses = [log_loss(tried(found, by, prior, trust)) for by in (by_task, by_fault)]
        print(f"prior {prior:4g}, trust {trust:4g}: log loss {losses[0]:.3f} by task, {losses[1]:.3f} by fault")
    print(f"first cause right: {first_right(table):.3f} by task, {first_right(table, by_fault):.3f} by fault")
    for k in reliability(tried(found, by_task)):
        print(f"{k.low:.2f} to {k.high:.2f}: {k.findings:4} findings, {k.mean:.2f} said, {k.right:.2f} right")
    if asked.write:
        Path(likelihoods.__file__).write_text(written(counted(found)), "utf-8")
    return 0


def named(table: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[Named]:
    """The causes that were named in the runs of a table.json, each name once a run: in its strongest finding."""
    explains = _explains()
    return [n for rows in table.values() for row in rows for n in _named(row, explains)]


def _explains() -> dict[str, tuple[str, ...]]:
    return {name: rule.explains for name, rule in discover("rules", Rule).items()}


def _named(row: Mapping[str, Any], explains: Mapping[str, tuple[str, ...]]) -> list[Named]:
    right = {name for names in row["truths"] for name in names}
    fault = row["truths"][0][0] if row["truths"] else "none"
    return [Named(sign, sign.name in right, row["task"], fault) for sign in signs(_strongest(row, explains))]


def _strongest(row: Mapping[str, Any], explains: Mapping[str, tuple[str, ...]]) -> list[Finding]:
    """The strongest finding of each name, without its words."""
    strongest: dict[str, Finding] = {}
    for name, kind, severity, confidence in row["said"]:
        known = {"name": name, "kind": kind, "explains": explains.get(name, ())}
        finding = Finding("", severity=Severity(severity), confidence=confidence, **known)
        if name not in strongest or _weight(finding) > _weight(strongest[name]):
            strongest[name] = finding
    return list(strongest.values())


def counted(found: Iterable[Named], prior: float = PRIOR, trust: float = TRUST) -> Likelihoods:
    """The table of these findings."""
    given = list(found)
    alarms = [n for n in given if n.sign.alarm]
    tables = {sign: _counts((getattr(n.sign, sign), n.right) for n in alarms) for sign in SIGNS}
    rules = _counts((n.sign.name, n.right) for n in alarms)
    hints = _counts((n.sign.name, n.right) for n in given if not n.sign.alarm)
    return Likelihoods(rules, hints, **tables, prior=prior, trust=trust)


def by_task(n: Named) -> str:
    """Programs of one kind together: leaves out what is like the program."""
    return n.task


def by_fault(n: Named) -> str:
    """Programs with one main fault together, sound ones by their task: leaves out what is like the fault."""
    return n.fault if n.fault != "none" else n.task


def tried(
    found: Sequence[Named], by: Callable[[Named], str] = by_task, prior: float = PRIOR, trust: float = TRUST
) -> list[tuple[float, bool]]:
    """(chance, right) of every alarm, by a table counted without its family."""
    given = []
    for family in sorted({by(n) for n in found}):
        table = counted((n for n in found if by(n) != family), prior, trust)
        given += [(table.chance(n.sign), n.right) for n in found if by(n) == family and n.sign.alarm]
    return given


def first_right(table: Mapping[str, Iterable[Mapping[str, Any]]], by: Callable[[Named], str] = by_task) -> float:
    """Share of faulty runs whose first cause is right, when the order is by a table counted without the family."""
    found, explains = named(table), _explains()
    firsts: list[bool] = []
    for row in (r for rows in table.values() for r in rows if r["truths"]):
        own = {by(n) for n in _named(row, explains)}
        inside = ranked(_strongest(row, explains), counted(n for n in found if by(n) not in own))
        causes = [f.name for f in inside if f.alarm and f.kind == "cause"]
        firsts.append(bool(causes) and causes[0] in {name for names in row["truths"] for name in names})
    return sum(firsts) / max(1, len(firsts))


def log_loss(given: Sequence[tuple[float, bool]]) -> float:
    """Mean of -ln of the chance given to what was the case, in nats: lower is better."""
    return -sum(math.log(chance if right else 1 - chance) for chance, right in given) / max(1, len(given))


def reliability(given: Sequence[tuple[float, bool]]) -> list[Kept]:
    """Of findings with about one chance, the share that was right."""
    bins = [(low, high, [g for g in given if low <= g[0] < high]) for low, high in pairwise(BINS)]
    return [
        Kept(low, high, len(inside), sum(c for c, _ in inside) / len(inside), sum(r for _, r in inside) / len(inside))
        for low, high, inside in bins
        if inside
    ]


def written(table: Likelihoods) -> str:
    """The table as the text of its module."""
    text = Path(likelihoods.__file__).read_text("utf-8")
    parts = "".join(_part(name, getattr(table, name)) for name in ("alarms", "hints", *SIGNS))
    return f"{text.partition('LIKELIHOODS =')[0]}LIKELIHOODS = Likelihoods(\n{parts})\n"


def _part(name: str, counts: Mapping[str, Counts]) -> str:
    lines = "".join(f'        "{key}": ({right}, {wrong}),\n' for key, (right, wrong) in sorted(counts.items()))
    return f"    {name}={{\n{lines}    }},\n"


def _counts(pairs: Iterable[tuple[str, bool]]) -> dict[str, Counts]:
    tally = Counter(pairs)
    return {key: (tally[key, True], tally[key, False]) for key in sorted({key for key, _ in tally})}


def _weight(finding: Finding) -> tuple[bool, float]:
    return finding.alarm, finding.confidence


if __name__ == "__main__":
    sys.exit(main())
