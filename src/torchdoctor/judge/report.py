"""What the rules said of one run: found, quiet, could not run, crashed. Silence is never "passed".

May not: decide anything, import torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.trace import Trace


@dataclass(frozen=True)
class Report:
    """findings: most likely cause first, symptoms after the causes that explain them.

    quiet: rules that ran and found nothing. not_run: rule -> why it could not run. crashed: rule -> how.
    trace: what was judged, for drawings; None when the report was read back from JSON.
    """

    findings: tuple[Finding, ...]
    quiet: tuple[str, ...] = ()
    not_run: Mapping[str, str] = field(default_factory=dict)
    crashed: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    trace: Trace | None = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def causes(self) -> tuple[Finding, ...]:
        """The findings that a person can change, most likely first."""
        return tuple(f for f in self.findings if f.kind == "cause")

    @property
    def roots(self) -> tuple[Finding, ...]:
        """The findings that no other finding explains: what to read first."""
        return tuple(f for f in self.findings if not f.explained_by)

    def folded_under(self, cause: Finding) -> tuple[Finding, ...]:
        """The findings whose first explanation is `cause`."""
        return tuple(f for f in self.findings if f.explained_by and f.explained_by[0] == cause.name)

    @property
    def worst(self) -> Severity | None:
        """The highest severity among the findings; None when there are none."""
        return max((f.severity for f in self.findings if f.severity), key=lambda s: s.rank, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "title": self.title,
            "findings": [f.to_dict() for f in self.findings],
            "quiet": list(self.quiet),
            "not_run": dict(self.not_run),
            "crashed": dict(self.crashed),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """The report as JSON text; numbers that JSON has no word for (NaN, infinity) become strings."""
        return json.dumps(jsonable(self.to_dict()), indent=indent, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what to_json wrote."""
        d = json.loads(text)
        findings = tuple(Finding.from_dict(f) for f in d["findings"])
        return cls(findings, tuple(d["quiet"]), d["not_run"], d["crashed"], d["title"])

    def show(self, file: TextIO | None = None, lang: str = "en") -> None:
        """Print the findings like a good compiler's messages, to `file` (default: standard output). lang: en or zh."""
        from torchdoctor.show.text import print_report  # upward and late: a convenience, see docs/why.md

        print_report(self, file, lang)

    def html(self, path: str | Path, lang: str = "en") -> Path:
        """Write one self-contained HTML page and return its path. lang: en or zh."""
        from torchdoctor.show.html import write_report  # upward and late: a convenience, see docs/why.md

        return write_report(self, Path(path), lang)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from torchdoctor.show.notebook import report_html  # upward and late: a convenience, see docs/why.md

        return report_html(self)

    def to_frame(self) -> Any:
        """A pandas.DataFrame with a row for each finding. Needs the extra `tables`."""
        from torchdoctor.show.frames import findings_frame  # upward and late: a convenience, see docs/why.md

        return findings_frame(self)


def jsonable(value: Any) -> Any:
    """The value with everything in it that JSON has no word for (NaN, infinity, NumPy's numbers) made plain."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    if hasattr(value, "item"):  # a NumPy scalar
        return jsonable(value.item())
    return value
