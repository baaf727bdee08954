"""What a rule says. Plain frozen records; how they look is the business of show/.

May not: import torch, print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Kind = Literal["cause", "symptom"]
Place = Literal["data", "model", "loss", "step", "hyperparameters", "budget", "optimisation", "speed", "inference"]


class Severity(StrEnum):
    """info < warning < error. Info is a hint and never an alarm: a healthy run shows nothing above it."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        return ("info", "warning", "error").index(self.value)


@dataclass(frozen=True)
class Remedy:
    """A fix by name, with its numbers filled in: Remedy("lower-learning-rate", {"factor": 0.1}). Pure data."""

    fix: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One fault, with its evidence.

    message: one sentence with the numbers in it. where: modules and parameters as `named_modules()` and
    `named_parameters()` call them, samples by index. steps: first and last step of the evidence, None when
    it was found before any step. confidence: 0..1. evidence: the numbers the rule decided by, by name.
    fixes: the best first. The fields below the line are stamped by judge(), never by the rule.
    """

    message: str
    where: tuple[str | int, ...] = ()
    steps: tuple[int, int] | None = None
    confidence: float = 0.8
    severity: Severity | None = None  # None: the rule's own default
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    fixes: tuple[Remedy, ...] = ()
    # ---
    name: str = ""
    kind: Kind = "cause"
    place: Place = "optimisation"
    code: str = ""  # the rule's short code, stable for ever
    explains: tuple[str, ...] = ()  # names of findings this one accounts for
    explained_by: tuple[str, ...] = ()  # names of findings in the same report that account for this one

    @property
    def alarm(self) -> bool:
        """True when the severity is above info."""
        return self.severity is not None and self.severity.rank > Severity.INFO.rank

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, with every field."""
        return {
            "name": self.name, "kind": self.kind, "place": self.place, "code": self.code,
            "severity": str(self.severity), "confidence": round(self.confidence, 3), "message": self.message,
            "where": list(self.where), "steps": list(self.steps) if self.steps else None,
            "evidence": dict(self.evidence), "explains": list(self.explains), "explained_by": list(self.explained_by),
            "fixes": [{"fix": r.fix, "options": dict(r.options)} for r in self.fixes],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Finding:
        """The inverse of to_dict."""
        return cls(
            message=d["message"], where=tuple(d["where"]), steps=(d["steps"][0], d["steps"][1]) if d["steps"] else None,
            confidence=d["confidence"], severity=Severity(d["severity"]), evidence=d["evidence"],
            fixes=tuple(Remedy(r["fix"], r["options"]) for r in d["fixes"]), name=d["name"], kind=d["kind"],
            place=d["place"], code=d["code"], explains=tuple(d["explains"]), explained_by=tuple(d["explained_by"]),
        )  # fmt: skip

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from torchdoctor.show.notebook import finding_html  # upward and late: a convenience, see docs/why.md

        return finding_html(self)

    def to_frame(self) -> Any:
        """A pandas.DataFrame with one row. Needs the extra `tables`."""
        from torchdoctor.show.frames import findings_frame  # upward and late: a convenience, see docs/why.md

        return findings_frame([self])
