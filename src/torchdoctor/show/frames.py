"""Reports, findings, cures and runs as pandas frames. Each function needs the extra `tables`.

May not: judge, train, write files.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torchdoctor.extra import needed
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.trace import WHOLE
from torchdoctor.show.proof import score_pair
from torchdoctor.show.remedy import call

if TYPE_CHECKING:
    from torchdoctor.cures.result import Cure
    from torchdoctor.record.run import Run

FINDING = ("name", "code", "kind", "severity", "confidence", "place", "where", "first_step", "last_step", "message",
           "explained_by", "fixes")  # fmt: skip
RACE = ("changed", "beside", "causes", "without", "with", "effect", "low", "high", "seeds", "share", "proven")


def findings_frame(findings: Iterable[Finding]) -> Any:
    """A row a finding, in the report's order."""
    rows = [
        (f.name, f.code, f.kind, str(f.severity), f.confidence, f.place, list(f.where), *(f.steps or (None, None)),
         f.message, list(f.explained_by), [call(remedy) for remedy in f.fixes])
        for f in findings
    ]  # fmt: skip
    return needed("pandas", extra="tables").DataFrame(rows, columns=list(FINDING))


def cure_frame(cure: Cure) -> Any:
    """A row a race; scores are means over the seeds."""
    rows = [
        (" + ".join(map(call, r.changed)), [remedy.fix for remedy in r.on_top_of], list(r.causes), *score_pair(r),
         r.effect.mean, r.effect.low, r.effect.high, r.effect.seeds, r.share, r.proven)
        for r in cure.races
    ]  # fmt: skip
    return needed("pandas", extra="tables").DataFrame(rows, columns=list(RACE))


def run_frame(run: Run) -> Any:
    """A row a step, a column for each signal of the whole run; NaN where it was not recorded at that step."""
    pandas = needed("pandas", extra="tables")
    whole = [signal for signal, subjects in run.signals.items() if WHOLE in subjects]
    trace = run.trace(whole)
    columns = {
        signal: pandas.Series(series.values, index=series.steps)
        for signal in whole
        if len(series := trace[signal]) and series.values.ndim == 1
    }
    frame = pandas.DataFrame({name: column[~column.index.duplicated(keep="last")] for name, column in columns.items()})
    return frame.rename_axis("step")
