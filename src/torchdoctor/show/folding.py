"""A report as a tree: under each finding what it explains, so that a reader sees causes first and each finding once.

May not: decide what explains what; that is judge/ranking.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report


@dataclass(frozen=True)
class Folded:
    finding: Finding
    under: tuple[Folded, ...] = ()


def folded(report: Report) -> tuple[Folded, ...]:
    """Every finding once; those that explain each other in a ring, and so have no root, come last."""
    seen: set[int] = set()

    def tree(finding: Finding) -> Folded:
        seen.add(id(finding))
        return Folded(finding, tuple(tree(f) for f in report.folded_under(finding) if id(f) not in seen))

    return tuple(tree(f) for f in (*report.roots, *report.findings) if id(f) not in seen)
